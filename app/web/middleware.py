"""What happens around every request: its id, its log line, its limits and the headers of its answer."""

from __future__ import annotations

import logging
import re
import time
import uuid
from collections.abc import Iterable, Iterator
from typing import Any

from flask import Flask, Response, g, request

from app.observability.logs.handlers import request_id
from app.observability.logs.masking import looks_secret
from app.web import request_facts
from app.web.context import shop
from app.web.instrumentation import note_route
from app.web.parsing import refuse_large_body
from app.web.responses import compress

log = logging.getLogger(__name__)

_USUAL_REQUEST_ID = re.compile(
    r"""
    [0-9a-fA-F]{16,64}
    | [0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}       # a UUID
    | [0-7][0-9A-HJKMNP-TV-Z]{25}                              # a ULID
    | [0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}        # a W3C traceparent
    | [a-z]{1,8}(-(?=[a-f]*[0-9])[0-9a-f]{1,12}){1,4}          # such as req-12345
    """,
    re.VERBOSE,
)
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    # Swagger UI sets styles on its elements and shows its icons as data; nothing else is inline or foreign.
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
        "font-src 'self' data:; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
}


def register_request_hooks(app: Flask) -> None:
    app.before_request(_begin)
    app.after_request(_finish)


def _begin() -> None:
    request_id.set(_request_id(request.headers.get("X-Request-ID", "")))
    g.started_at = time.perf_counter()
    note_route()
    refuse_large_body()


def _request_id(offered: str) -> str:
    """The client's own id, if it has the form of one: any other text may be a secret, and is logged and answered."""
    usual = _USUAL_REQUEST_ID.fullmatch(offered) and not looks_secret(offered)
    return offered if usual and offered != shop().settings.api_key else uuid.uuid4().hex


def _finish(response: Response) -> Response:
    compress(response)
    for name, value in _HEADERS.items():
        response.headers.setdefault(name, value)
    response.headers["X-Request-ID"] = request_id.get()
    facts = {
        "method": request_facts.method(),
        "route": request_facts.route(),
        "path": request_facts.path(),
        "status": response.status_code,
        "remote_addr": request_facts.remote_address(),
        "user_id": request_facts.user_id(),
    }
    if request.method == "HEAD":
        _log_request(facts, g.started_at, 0)
    elif not response.is_streamed:
        _log_request(facts, g.started_at, response.calculate_content_length() or 0)
    elif response.direct_passthrough:  # a file, whose size is known
        _log_request(facts, g.started_at, response.content_length or 0)
    else:
        _log_at_end(response, facts)
    return response


def _log_request(facts: dict[str, Any], started_at: float, sent_bytes: int) -> None:
    duration_ms = round((time.perf_counter() - started_at) * 1_000, 1)
    log.info("request", extra={**facts, "duration_ms": duration_ms, "bytes": sent_bytes})


def _log_at_end(response: Response, facts: dict[str, Any]) -> None:
    """Log an answer that is still being made when its last part was sent or its client has left."""
    started_at, own_id = g.started_at, request_id.get()
    sent_bytes, ended = 0, False

    def counted(parts: Iterable[Any]) -> Iterator[Any]:
        nonlocal sent_bytes
        for part in parts:
            sent_bytes += len(part)
            yield part

    def end() -> None:
        nonlocal ended
        if ended:
            return
        ended = True
        request_id.set(own_id)  # another thread may close an answer than the one that made it
        _log_request(facts, started_at, sent_bytes)

    response.response = counted(response.response)
    response.call_on_close(end)
