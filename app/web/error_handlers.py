"""Every error response of the shop, in one shape: RFC 9457 problem details."""

import logging
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from flask import Flask, Response, jsonify, request
from marshmallow import ValidationError
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.exceptions import HTTPException

from app.core import errors
from app.observability.logs.context import request_id
from app.storage.faults import SENTENCES, Fault, fault_of, reason_of
from app.web.access import InvalidApiKey
from app.web.body_guard import BodyTimedOut, LargeBodyInProgress, ServerBusy, TooManyBodies
from app.web.context import request_record
from app.web.parsing import BatchTooLarge, BodyTooLarge, UnsupportedMediaType, UrlTooLong, invalid_input
from app.web.presenters.imports import present_faults
from app.web.uploads import CsvExpected

log = logging.getLogger(__name__)

_STATUS: dict[type[errors.ShopError], HTTPStatus] = {
    errors.InvalidInput: HTTPStatus.BAD_REQUEST,
    errors.Unauthenticated: HTTPStatus.UNAUTHORIZED,
    errors.Forbidden: HTTPStatus.FORBIDDEN,
    errors.NotFound: HTTPStatus.NOT_FOUND,
    errors.Conflict: HTTPStatus.CONFLICT,
    errors.PaymentDenied: HTTPStatus.PAYMENT_REQUIRED,
    errors.PaymentFailed: HTTPStatus.BAD_GATEWAY,
    errors.PaymentTimedOut: HTTPStatus.GATEWAY_TIMEOUT,
    errors.UnreadableImport: HTTPStatus.BAD_REQUEST,
    errors.ImportRefused: HTTPStatus.UNPROCESSABLE_ENTITY,
    errors.ImportTooLarge: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    errors.KeyReused: HTTPStatus.UNPROCESSABLE_ENTITY,
    errors.VersionMismatch: HTTPStatus.PRECONDITION_FAILED,
    errors.Unavailable: HTTPStatus.SERVICE_UNAVAILABLE,
    BodyTimedOut: HTTPStatus.REQUEST_TIMEOUT,
    BodyTooLarge: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    BatchTooLarge: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    UnsupportedMediaType: HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    CsvExpected: HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    UrlTooLong: HTTPStatus.REQUEST_URI_TOO_LONG,
    ServerBusy: HTTPStatus.SERVICE_UNAVAILABLE,
    TooManyBodies: HTTPStatus.SERVICE_UNAVAILABLE,
    LargeBodyInProgress: HTTPStatus.CONFLICT,
}

MEANINGS: dict[int, tuple[str, str]] = {
    400: ("Requisição inválida", "validation_error"),
    401: ("Não autenticado", "unauthorized_access"),
    402: ("Pagamento negado", "payment_denied_simulated"),
    403: ("Sem permissão", "forbidden"),
    404: ("Não encontrado", "not_found"),
    405: ("Método não permitido", "method_not_allowed"),
    408: ("Corpo lento demais", "request_timeout"),
    409: ("Conflito", "conflict"),
    412: ("Versão ultrapassada", "precondition_failed"),
    413: ("Corpo grande demais", "payload_too_large"),
    414: ("Endereço longo demais", "uri_too_long"),
    415: ("Tipo de conteúdo não suportado", "unsupported_media_type"),
    422: ("Conteúdo recusado", "idempotency_key_reused"),
    429: ("Tentativas demais", "rate_limited"),
    500: ("Erro interno", "internal_server_error"),
    502: ("Falha no pagamento", "payment_gateway_error"),
    503: ("Indisponível", "service_unavailable"),
    504: ("Pagamento sem resposta", "payment_gateway_timeout"),
}
"""Each status' title and `error_type`, a label of `api_errors_total`, whose values are these only."""
_ERROR_TYPES: dict[type[errors.ShopError], str] = {
    errors.OutOfStock: "insufficient_stock",
    errors.ImportRefused: "import_refused",
}
"""Errors of one status that operators want to tell apart."""
ORDERS_PATH = "/orders"
RETRY_AFTER_S = "5"
_DETAILS = {
    404: "O endereço pedido não existe.",
    405: "Este endereço não aceita o método {method}.",
    500: "Erro interno do servidor. Informe o request_id ao suporte.",
}


def register_error_handlers(app: Flask) -> None:
    """Respond to every error of `app` from here, those of unknown URLs and crashes included."""
    app.register_error_handler(errors.ShopError, _shop_error)
    app.register_error_handler(ValidationError, lambda error: _shop_error(invalid_input(error)))
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(SQLAlchemyError, _storage_error)
    app.register_error_handler(OSError, _storage_error)
    app.register_error_handler(Exception, _crash)


def problem(
    status: int,
    detail: str,
    *,
    error_type: str | None = None,
    problems: list[errors.FieldProblem] | None = None,
    others: Mapping[str, Any] | None = None,
) -> Response:
    """Return an error response of RFC 9457 with `others`; `error_type` is the status' own unless given."""
    title, usual_type = MEANINGS.get(status, (HTTPStatus(status).phrase, "http_error"))
    members: dict[str, Any] = {
        "type": "about:blank",
        "title": title,
        "status": status,
        "detail": detail,
        "error": detail,
        "error_type": error_type or usual_type,
        "request_id": request_id.get(),
    }
    if f"{request.path}/".startswith(f"{ORDERS_PATH}/"):
        members |= {"success": False, "message": detail}  # as the seed's order routes answer
    if problems:
        members["errors"] = [{"field": p.field, "message": p.message} for p in problems]
    members |= others or {}
    request_record.get().error_type = members["error_type"]
    response = jsonify(members)
    response.status_code = status
    response.mimetype = "application/problem+json"
    response.headers["Cache-Control"] = "no-store"
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        response.headers["Retry-After"] = RETRY_AFTER_S
    return response


def _shop_error(error: errors.ShopError) -> Response:
    status = next(_STATUS[kind] for kind in type(error).__mro__ if kind in _STATUS)
    response = problem(
        status,
        error.detail,
        error_type=_ERROR_TYPES.get(type(error)),
        problems=error.problems,
        others=present_faults(error.table)
        if isinstance(error, errors.FaultyImport) and error.table
        else None,
    )
    if isinstance(error, errors.Unauthenticated):
        scheme = "ApiKey" if isinstance(error, InvalidApiKey) else "Bearer"
        response.headers["WWW-Authenticate"] = f'{scheme} realm="livraria"'
    if isinstance(error, (errors.RequestInFlight, ServerBusy, TooManyBodies)):
        response.headers["Retry-After"] = "1"
    if error.replayed:
        response.headers["Idempotent-Replayed"] = "true"
    return response


def _http_error(error: HTTPException) -> Response:
    status = error.code or 500
    detail = _DETAILS.get(status, MEANINGS.get(status, (HTTPStatus(status).phrase, ""))[0])
    response = problem(status, detail.format(method=request.method))
    for name, value in error.get_headers():
        if name.lower() in ("allow", "retry-after"):
            response.headers[name] = value
    return response


def _storage_error(error: Exception) -> Response:
    """Respond that the shop is unavailable where the database or the disk is to blame, and not the program."""
    fault = fault_of(error)
    if fault is None:
        return _crash(error)
    record = request_record.get()
    log.error(
        "request_unavailable",
        extra={"reason": reason_of(error), "method": record.method, "path": record.path},
        # Unlike a full disk, a missing table may be our own fault.
        exc_info=error if fault is Fault.OTHER_RELEASE else None,
    )
    return _shop_error(errors.Unavailable(SENTENCES[fault]))


def _crash(error: Exception) -> Response:
    record = request_record.get()
    log.error("request_crashed", exc_info=error, extra={"method": record.method, "path": record.path})
    return problem(500, _DETAILS[500])
