"""`/api/v1/logs`: the shop's own log."""

from collections.abc import Iterator
from dataclasses import fields
from typing import Any

from flask import Blueprint, Response, request
from flask.typing import ResponseReturnValue

from app.core.errors import InvalidInput
from app.observability.logs.files import Position, PositionGone
from app.observability.logs.filter import LogFilter
from app.observability.logs.reader import LogPage
from app.web.access import Access
from app.web.context import shop
from app.web.endpoint import operation
from app.web.error_handlers import problem
from app.web.pagination import next_link
from app.web.schemas.logs import LogLine, LogsQuery

logs = Blueprint("logs", __name__, url_prefix="/api/v1/logs")
NDJSON = "application/x-ndjson"


@logs.get("")
@operation(
    "Lê os logs",
    description=(
        'Os últimos registros, do mais antigo ao mais novo; os filtros se combinam. `Link: rel="next"` leva aos '
        "anteriores. Uma busca para depois de 64 MB lidos (`X-Log-Scanned-Bytes`), mesmo sem ter achado tudo, e o "
        "`Link` a continua. Com `Accept: application/x-ndjson` ou `format=ndjson`, um registro por linha; com "
        "`tail=true` também, seguem por até 60 segundos os que forem escritos, e uma linha vazia quando nada há. "
        "Aberta em desenvolvimento; em produção, exige o papel operador."
    ),
    access=Access.LOGS,
    query=LogsQuery(),
    ok="Os registros",
    response=LogLine(many=True),
    response_headers=("Link", "X-Log-Scanned-Bytes"),
    other_media_types=(NDJSON,),
    errors=(429, 503),
)
def read_logs(query: dict[str, Any]) -> ResponseReturnValue:
    as_ndjson = _asks_for_ndjson(query)
    if query["tail"] == "true" and not as_ndjson:
        raise InvalidInput.of("tail", "exige format=ndjson ou Accept: application/x-ndjson")
    log_filter = LogFilter(**{field.name: query.get(field.name) for field in fields(LogFilter)})
    try:
        page = shop().log_reader.page(log_filter, query["limit"], _cursor(query))
    except PositionGone:
        raise InvalidInput.of("cursor", "o arquivo de log a que se refere não existe mais") from None
    except OSError:
        return problem(503, "O arquivo de log não pode ser lido.")
    headers = {"Cache-Control": "no-store", "X-Log-Scanned-Bytes": str(page.scanned_bytes), "Vary": "Accept"}
    if query["tail"] == "true":
        return _tail(page, log_filter, headers)
    if page.older is not None:
        headers["Link"] = next_link(page.older.as_text())
    if as_ndjson:
        return Response(_ndjson(page), mimetype=NDJSON, headers=headers)
    return Response(b"[" + b",".join(page.lines) + b"]", mimetype="application/json", headers=headers)


def _tail(page: LogPage, log_filter: LogFilter, headers: dict[str, str]) -> Response:
    """Stream the page, and then what is written, until the client leaves or its time is up."""
    tails = shop().log_tails
    release = tails.acquire()
    if release is None:
        response = problem(429, "Já há clientes demais seguindo os logs. Tente de novo em alguns segundos.")
        response.headers["Retry-After"] = "5"
        return response

    def lines() -> Iterator[bytes]:
        yield _ndjson(page)
        yield from tails.follow(log_filter, page.newest)

    response = Response(lines(), mimetype=NDJSON, headers={**headers, "X-Accel-Buffering": "no"})
    response.call_on_close(release)
    return response


def _asks_for_ndjson(query: dict[str, Any]) -> bool:
    if "format" in query:
        return bool(query["format"] == "ndjson")
    return request.accept_mimetypes.best_match(["application/json", NDJSON]) == NDJSON


def _cursor(query: dict[str, Any]) -> Position | None:
    try:
        return Position.from_text(query["cursor"]) if "cursor" in query else None
    except ValueError:
        raise InvalidInput.of("cursor", "não é um cursor desta rota") from None


def _ndjson(page: LogPage) -> bytes:
    return b"".join(line + b"\n" for line in page.lines)
