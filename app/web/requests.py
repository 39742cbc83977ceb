"""What happens around every request: its id, its log line, its limits and the headers of its answer."""

from __future__ import annotations

import logging
import re
import time
import uuid

from flask import Flask, Response, g, request

from app.observability.logs import request_id
from app.web.caching import compress
from app.web.inputs import refuse_large_body

log = logging.getLogger(__name__)

_SANE_REQUEST_ID = re.compile(r"[A-Za-z0-9._:-]{1,64}", re.ASCII)
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
    offered = request.headers.get("X-Request-ID", "")
    request_id.set(offered if _SANE_REQUEST_ID.fullmatch(offered) else uuid.uuid4().hex)
    g.started_at = time.perf_counter()
    refuse_large_body()


def _finish(response: Response) -> Response:
    compress(response)
    for name, value in _HEADERS.items():
        response.headers.setdefault(name, value)
    response.headers["X-Request-ID"] = request_id.get()
    log.info(
        "request",
        extra={
            "method": request.method,
            "path": request.path,
            "status": response.status_code,
            "duration_ms": round((time.perf_counter() - g.started_at) * 1_000, 1),
        },
    )
    return response
