"""The OpenAPI 3.0.3 document, made from what the views declare, and its pages, served by flasgger."""

import re
from http import HTTPStatus
from pathlib import Path
from typing import Any

import flask_swagger_ui
from apispec import APISpec
from apispec.ext.marshmallow import MarshmallowPlugin
from flasgger import Swagger
from flask import Flask
from werkzeug.routing import Rule

from app.core.accounts import min_password_length
from app.version import API_VERSION
from app.web.access import Access
from app.web.endpoint import operation, operation_of
from app.web.error_handlers import MEANINGS, ORDERS_PATH
from app.web.formats import TABULAR_TYPES
from app.web.idempotency import HEADER as IDEMPOTENCY_KEY
from app.web.idempotency import VALID_KEY
from app.web.schemas.problem import Problem
from ml.verdict import Verdict

OPENAPI_VERSION = "3.0.3"

_DESCRIPTION = """Catálogo, busca, estatísticas, pedidos, scraping e predições de livros.

**Comece aqui:** em `POST /api/v1/auth/login`, *Try it out*, entre com `admin` / `1234` (só em desenvolvimento), \
copie o `access_token`, clique em **Authorize** e cole-o em *tokenDeAcesso*. Para os pedidos, cole também a \
chave (`API_KEY_REQUIRED`, em desenvolvimento `minha_chave_secreta_empresa`) em *chaveDeApi*.

Um nome que a rota não conhece, na consulta ou no corpo, é 400, e `errors` sugere o mais próximo dos conhecidos.

Todo erro é um documento `application/problem+json`, menos os que o servidor HTTP responde antes da loja, sem corpo: \
400 para o que não é HTTP, 414 para um endereço de mais de 65.534 bytes e 431 para cabeçalhos demais (100) ou \
grandes demais (`MAX_HEADER_BYTES`).
"""
_TAGS = {
    "auth": ("Autenticação", "Login, renovação e usuários"),
    "books": ("Livros", "O catálogo publicado"),
    "history": ("Histórico", "O que as publicações mudaram"),
    "imports": ("Livros", "O catálogo publicado"),
    "stats": ("Estatísticas", "Médias exatas, arredondadas meio para cima"),
    "orders": ("Pedidos", "A venda dos livros do catálogo; quase tudo pede o cabeçalho `X-API-Key`"),
    "scraping": ("Scraping", "A coleta do catálogo em segundo plano"),
    "ml": ("Machine Learning", "Previsões de avaliações, e o que elas valem"),
    "simulation": ("Simulação", "Falhas de propósito, para demonstrações e alertas"),
    "logs": ("Logs", "O que a loja escreveu sobre si mesma"),
    "system": ("Sistema", "Saúde e entrada"),
}
"""Each blueprint's tag and its description."""
_HEADERS = {
    "X-Total-Count": {"description": "Total de itens", "schema": {"type": "integer"}},
    "Link": {"description": "first, prev, next e last (RFC 8288)", "schema": {"type": "string"}},
    "X-Search-Mode": {
        "description": "`aproximada` onde nada casa exatamente e os livros são os próximos",
        "schema": {"type": "string", "enum": ["exata", "aproximada"]},
    },
    "ETag": {"description": "A versão do que é mostrado", "schema": {"type": "string"}},
    "X-Request-ID": {"description": "O id da requisição", "schema": {"type": "string"}},
    "Retry-After": {"description": "Segundos a esperar", "schema": {"type": "integer"}},
    "RateLimit": {
        "description": 'O que resta de cada limite, e até quando: `"escritas";r=5999;t=60` (IETF, rascunho 10)',
        "schema": {"type": "string"},
    },
    "RateLimit-Policy": {
        "description": 'Os limites por minuto de cada cliente: `"escritas";q=6000;w=60`',
        "schema": {"type": "string"},
    },
    "X-Log-Scanned-Bytes": {
        "description": "Bytes de log lidos para a resposta",
        "schema": {"type": "integer"},
    },
    "X-Model-Version": {
        "description": "A versão que respondeu; 0 quando nenhuma pôde",
        "schema": {"type": "integer"},
    },
    "X-Model-Verdict": {
        "description": "O que pensar das predições",
        "schema": {"type": "string", "enum": list(Verdict)},
    },
    "Location": {
        "description": "Onde ler o que foi criado ou acompanhar o que começou",
        "schema": {"type": "string"},
    },
}
_REQUEST_HEADERS: dict[str, dict[str, Any]] = {
    name: {"in": "header", "name": name, "description": text, "schema": {"type": "string", **schema}}
    for name, text, schema in (
        (
            IDEMPOTENCY_KEY,
            "A mesma chave e o mesmo corpo dão a mesma resposta",
            {"maxLength": 255, "pattern": VALID_KEY},
        ),
        ("If-Match", "A ETag lida, ou `*`; se o pedido mudou desde então, 412", {"example": "*"}),
    )
}
_ACCESS_TOKEN, _REFRESH_TOKEN, _API_KEY = "tokenDeAcesso", "tokenDeRenovacao", "chaveDeApi"
_METRICS_TOKEN = "tokenDeMetricas"  # noqa: S105
_BEARER = {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}
_SECURITY_SCHEMES = {
    _ACCESS_TOKEN: {**_BEARER, "description": "O access_token do login"},
    _REFRESH_TOKEN: {**_BEARER, "description": "O refresh_token do login"},
    _METRICS_TOKEN: {"type": "http", "scheme": "bearer", "description": "O valor de METRICS_TOKEN"},
    _API_KEY: {
        "type": "apiKey",
        "in": "header",
        "name": "X-API-Key",
        "description": "O valor de API_KEY_REQUIRED",
    },
}
_SECURITY: dict[Access, list[dict[str, list[str]]]] = {
    Access.PUBLIC: [],
    Access.LOGS: [{}, {_ACCESS_TOKEN: []}],
    Access.REFRESH_TOKEN: [{_REFRESH_TOKEN: []}],
    Access.METRICS: [{}, {_METRICS_TOKEN: []}],
    Access.ACCESS_TOKEN: [{_ACCESS_TOKEN: []}],
    Access.ANY_TOKEN: [{_ACCESS_TOKEN: []}, {_REFRESH_TOKEN: []}],
    Access.OPERATOR: [{_ACCESS_TOKEN: []}],
    Access.ADMIN: [{_ACCESS_TOKEN: []}],
    Access.API_KEY: [{_API_KEY: []}],
}
_LIMITS = {(ORDERS_PATH, "limit"), ("/api/v1/changes", "limit")}
"""Parameters that say how many items a page has, as `per_page` does."""
_PARAMETER = re.compile(r"<(?:(?P<converter>\w+)(?:\([^)]*\))?:)?(?P<name>\w+)>")


def build_document(app: Flask) -> dict[str, Any]:
    """Return the document of every route of `app` that declares an operation."""
    plugin = MarshmallowPlugin()
    spec = APISpec(
        title="Livraria",
        version=API_VERSION,
        openapi_version=OPENAPI_VERSION,
        info={"description": _DESCRIPTION},
        plugins=[plugin],
        tags=[{"name": name, "description": text} for name, text in dict(_TAGS.values()).items()],
        # One relative server: the document is right behind any host, port and proxy.
        servers=[{"url": "/"}],
    )
    converter: Any = plugin.converter  # which the spec has made
    converter.add_attribute_function(lambda _self, field, **_: getattr(field, "documented", {}))
    for name, scheme in _SECURITY_SCHEMES.items():
        spec.components.security_scheme(name, scheme)
    for status in MEANINGS:
        spec.components.response(f"Erro{status}", _problem_response(status))
    for rule in app.url_map.iter_rules():
        declared = operation_of(app.view_functions[rule.endpoint])
        if declared is not None:
            spec.path(path_of(rule), operations=_operations(rule, declared))
    document: dict[str, Any] = spec.to_dict()
    _add_limits(app, document)
    return document


def path_of(rule: Rule) -> str:
    """Return the document's path of a route: `/books/<int:id>` is `/books/{id}`."""
    return _PARAMETER.sub(r"{\g<name>}", rule.rule)


def _add_limits(app: Flask, document: dict[str, Any]) -> None:
    """Add the rules that no field states: those of whole objects and of settings."""
    settings = app.extensions["shop"].settings
    schemas = document["components"]["schemas"]
    schemas["OrderChanges"]["minProperties"] = 1
    shortest = min_password_length(production=settings.production)
    schemas["NewUser"]["properties"]["password"]["minLength"] = shortest
    schemas["NewPassword"]["properties"]["senha_nova"]["minLength"] = shortest
    predictions = document["paths"]["/api/v1/ml/predictions"]["post"]["requestBody"]["content"]
    predictions["application/json"]["schema"]["maxItems"] = settings.ml_max_batch
    schemas["NewOrder"]["properties"]["items"]["maxItems"] = settings.order_max_items
    for path, operations in document["paths"].items():
        for described in operations.values():
            for parameter in described["parameters"]:
                if parameter["name"] == "per_page" or (path, parameter["name"]) in _LIMITS:
                    parameter["schema"]["maximum"] = settings.max_per_page


def serve_documentation(app: Flask) -> None:
    """Serve the document at `/apispec_1.json` and Swagger UI at `/apidocs/`, without the internet."""
    Swagger(
        app,
        template=build_document(app),
        merge=True,
        config={
            "openapi": OPENAPI_VERSION,
            "title": "Livraria: documentação da API",
            "auth": {},
            "specs": [
                {"endpoint": "apispec_1", "route": "/apispec_1.json", "rule_filter": lambda _rule: False}
            ],
            # flasgger's own Swagger UI is of 2020 and inside a reported XSS range (flasgger issue 521).
            "static_folder": str(Path(flask_swagger_ui.__file__).parent / "dist"),
        },
    )
    # A view of its own: Werkzeug's redirect to the spelling with a slash would go to whatever `Host` says.
    app.add_url_rule("/apidocs", "apidocs", app.view_functions["flasgger.apidocs"])


def _operations(rule: Rule, declared: operation) -> dict[str, Any]:
    methods = (rule.methods or set()) - {"HEAD", "OPTIONS"}
    return {method.lower(): _operation(rule, method, declared) for method in sorted(methods)}


def _operation(rule: Rule, method: str, declared: operation) -> dict[str, Any]:
    parameters: list[Any] = [
        {
            "in": "path",
            "name": match["name"],
            "required": True,
            "schema": {"type": "integer", "minimum": 0}
            if match["converter"] == "int"
            else {"type": "string"},
        }
        for match in _PARAMETER.finditer(rule.rule)
    ]
    parameters += [_REQUEST_HEADERS[name] for name in declared.request_headers]
    if declared.query is not None:
        parameters.append({"in": "query", "schema": declared.query})
    described: dict[str, Any] = {
        "operationId": f"{method.lower()}_{rule.rule.strip('/').replace('/', '_') or 'inicio'}".translate(
            {ord(char): None for char in "<>:"}
        ),
        "tags": [_TAGS[rule.endpoint.partition(".")[0]][0]],
        "summary": declared.summary,
        "parameters": parameters,
        "responses": _responses(declared),
        "security": _SECURITY[declared.access],
    }
    if declared.description:
        described["description"] = declared.description
    if declared.body is not None:
        described["requestBody"] = {
            "required": True,
            "content": {"application/json": {"schema": declared.body}},
        }
    if declared.body_types is not None:
        content = {media_type: {"schema": schema} for media_type, schema in declared.body_types.items()}
        described["requestBody"] = {"required": True, "content": content}
    return described


def _responses(declared: operation) -> dict[str, Any]:
    responses: dict[str, Any] = {str(declared.status): _success(declared)}
    if declared.versioned:
        responses["304"] = {"description": "O cliente já tem esta versão do catálogo (If-None-Match)"}
    return responses | {str(status): f"Erro{status}" for status in declared.error_statuses()}


def _success(declared: operation) -> dict[str, Any]:
    names = [*declared.response_headers, "X-Request-ID", *(["ETag"] if declared.versioned else [])]
    response: dict[str, Any] = {
        "description": declared.ok,
        "headers": {name: _HEADERS[name] for name in names},
    }
    if declared.links:
        response["links"] = {
            name: {"operationId": name, "parameters": parameters}
            for name, parameters in declared.links.items()
        }
    if declared.response is not None:
        response["content"] = {declared.media_type: {"schema": declared.response}}
        others = (*declared.other_media_types, *(TABULAR_TYPES if declared.table else ()))
        response["content"] |= {name: {"schema": {"type": "string"}} for name in others}
    return response


def _problem_response(status: int) -> dict[str, Any]:
    title, error_type = MEANINGS[status]
    example: dict[str, Any] = {
        "type": "about:blank",
        "title": title,
        "status": status,
        "detail": f"{title}.",
        "error": f"{title}.",
        "error_type": error_type,
        "request_id": "5f0c6a8e2b7d4c1e9a3f",
    }
    if status == HTTPStatus.BAD_REQUEST:
        example["errors"] = [{"field": "username", "message": "campo obrigatório"}]
    response: dict[str, Any] = {
        "description": title,
        "headers": {"X-Request-ID": _HEADERS["X-Request-ID"]},
        "content": {"application/problem+json": {"schema": Problem, "example": example}},
    }
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        response["headers"]["Retry-After"] = _HEADERS["Retry-After"]
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        for name in ("Retry-After", "RateLimit", "RateLimit-Policy"):
            response["headers"][name] = _HEADERS[name]
    return response
