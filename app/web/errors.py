"""Every error answer of the shop, in one shape: RFC 9457 problem details."""

from __future__ import annotations

import logging
from http import HTTPStatus
from typing import Any

from flask import Flask, Response, jsonify, request
from werkzeug.exceptions import HTTPException

from app.core import errors
from app.observability.logs import request_id

log = logging.getLogger(__name__)

_STATUS: dict[type[errors.ShopError], HTTPStatus] = {
    errors.InvalidInput: HTTPStatus.BAD_REQUEST,
    errors.Unauthenticated: HTTPStatus.UNAUTHORIZED,
    errors.Forbidden: HTTPStatus.FORBIDDEN,
    errors.NotFound: HTTPStatus.NOT_FOUND,
    errors.Conflict: HTTPStatus.CONFLICT,
    errors.BodyTooLarge: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    errors.UnsupportedMediaType: HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
}

# status -> (title, error_type); error_type is a label of `api_errors_total`, so its values are these only
MEANINGS: dict[int, tuple[str, str]] = {
    400: ("Requisição inválida", "validation_error"),
    401: ("Não autenticado", "unauthorized_access"),
    403: ("Sem permissão", "forbidden"),
    404: ("Não encontrado", "not_found"),
    405: ("Método não permitido", "method_not_allowed"),
    409: ("Conflito", "conflict"),
    413: ("Corpo grande demais", "payload_too_large"),
    415: ("Tipo de conteúdo não suportado", "unsupported_media_type"),
    429: ("Tentativas demais", "rate_limited"),
    500: ("Erro interno", "internal_server_error"),
    503: ("Indisponível", "service_unavailable"),
}
_DETAILS = {
    404: "O endereço pedido não existe.",
    405: "Este endereço não aceita o método {method}.",
    500: "Erro interno do servidor. Informe o request_id ao suporte.",
}


def register_error_handlers(app: Flask) -> None:
    """Answer every error of `app` from here, those of unknown URLs and crashes included."""
    app.register_error_handler(errors.ShopError, _shop_error)
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(Exception, _crash)


def problem(status: int, detail: str, **extra: Any) -> Response:
    """An error answer; `extra` are members that only some errors have."""
    title, error_type = MEANINGS.get(status, (HTTPStatus(status).phrase, "http_error"))
    response = jsonify(
        {
            "type": "about:blank",
            "title": title,
            "status": status,
            "detail": detail,
            "error": detail,
            "error_type": error_type,
            "request_id": request_id.get(),
            **extra,
        }
    )
    response.status_code = status
    response.mimetype = "application/problem+json"
    response.headers["Cache-Control"] = "no-store"
    return response


def _shop_error(error: errors.ShopError) -> Response:
    status = next(_STATUS[kind] for kind in type(error).__mro__ if kind in _STATUS)
    if isinstance(error, errors.InvalidInput):
        return problem(
            status, error.detail, errors=[{"field": p.field, "message": p.message} for p in error.problems]
        )
    response = problem(status, error.detail)
    if isinstance(error, errors.Unauthenticated):
        response.headers["WWW-Authenticate"] = 'Bearer realm="livraria"'
    return response


def _http_error(error: HTTPException) -> Response:
    status = error.code or 500
    detail = _DETAILS.get(status, MEANINGS.get(status, (HTTPStatus(status).phrase, ""))[0])
    response = problem(status, detail.format(method=request.method))
    for name, value in error.get_headers():
        if name.lower() in ("allow", "retry-after"):
            response.headers[name] = value
    return response


def _crash(error: Exception) -> Response:
    log.error("request_crashed", exc_info=error, extra={"method": request.method, "path": request.path})
    return problem(500, _DETAILS[500])
