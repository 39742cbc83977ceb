"""What happens around every request: its id, its limit, the headers of its response, its metrics and its log line."""

import logging
import random
import re
import threading
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from typing import Any
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from app.observability.logs.context import request_id
from app.observability.logs.masking import looks_secret
from app.observability.logs.requests import log_request
from app.observability.metrics import METHODS, UNMATCHED, Metrics
from app.web.clients import ip_address_of
from app.web.context import RequestRecord, request_record
from app.web.rate_limits import HEADERS as RATE_HEADERS
from app.web.rate_limits import ReadLimit
from app.web.response_cache import CachedResponse, ResponseCache
from app.web.versions import Source

log = logging.getLogger(__name__)

_REQUEST_ID = re.compile(
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
_CLOSE = ("Connection", "close")
"""Asks a client to send its next request elsewhere; the server then closes the connection."""
_KEPT = (200, 304)
"""Statuses of the responses that their source determines: an error may still follow the view."""


class RequestMiddleware:
    """A WSGI application around Flask that times, counts and logs each request, also one that crashes.

    Flask's side fills the request's record, a `RequestRecord`. A response that is whole is counted and logged
    before it is sent; a stream when it ends, its client leaves, or the server drops it. A response that the cache
    holds is sent, counted and logged without Flask.
    """

    def __init__(
        self,
        application: WSGIApplication,
        metrics: Metrics,
        cache: ResponseCache,
        secrets: Collection[str],
        read_limit: ReadLimit | None,
        draining: threading.Event,
    ) -> None:
        self._application = application
        self._metrics = metrics
        self._cache = cache
        self._secrets = frozenset(secrets)
        self._read_limit = read_limit
        self._draining = draining

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        started_at = time.perf_counter()
        offered = environ.get("HTTP_X_REQUEST_ID")
        own_id = self._request_id(offered) if offered else new_request_id()
        request_id.set(own_id)
        method = environ["REQUEST_METHOD"]
        cached = self._cache.find(environ) if method == "GET" else None
        remote_addr = ip_address_of(environ.get("REMOTE_ADDR", ""))
        rate: Sequence[tuple[str, str]] | None = ()
        if cached is not None and self._read_limit is not None:
            rate = self._read_limit.admit(environ)
        if cached is None or rate is None:  # Flask counts what it responds to, and refuses what is too much
            record = RequestRecord(method if method in METHODS else "other", remote_addr)
            return self._run(environ, start_response, record, own_id, started_at)
        headers = [*cached.headers, *rate, ("X-Request-ID", own_id)]
        if self._draining.is_set():
            headers.append(_CLOSE)
        start_response(cached.status_line, headers)
        seconds = time.perf_counter() - started_at
        cached.observe(seconds)
        log_request(
            remote_addr=remote_addr,
            method=method,
            path=cached.path,
            status=cached.status,
            duration=seconds,
            user=None,
            request_id=own_id,
            route=cached.route,
            size=len(cached.body),
        )
        return [cached.body]

    def _run(
        self,
        environ: WSGIEnvironment,
        start_response: StartResponse,
        record: RequestRecord,
        own_id: str,
        started_at: float,
    ) -> Iterable[bytes]:
        """Let Flask respond."""
        request_record.set(record)
        seconds_to_start: float | None = None
        length: int | None = None
        status_line = ""
        sent_headers: list[tuple[str, str]] = []

        def start(line: str, headers: list[tuple[str, str]], error: Any = None) -> Any:
            nonlocal seconds_to_start, length, status_line, sent_headers
            record.status, seconds_to_start = int(line[:3]), time.perf_counter() - started_at
            present = {name.lower(): value for name, value in headers}
            if record.method == "HEAD" or record.status in (204, 304):
                length = 0
            elif "content-length" in present and not record.streamed:
                length = int(present["content-length"])
            headers += [(name, value) for name, value in _HEADERS.items() if name.lower() not in present]
            status_line, sent_headers = line, headers
            closing = [_CLOSE] if self._draining.is_set() else []
            return start_response(line, [*headers, *closing, ("X-Request-ID", own_id)], error)

        def end(sent_bytes: int) -> None:
            request_id.set(own_id)  # another thread may close a stream than the one that made it
            seconds = time.perf_counter() - started_at
            self._metrics.end_request(
                record.method,
                record.route,
                record.status,
                # Up to the response's beginning: a stream goes on for as long as its client likes.
                seconds if seconds_to_start is None else seconds_to_start,
                record.error_type,
                record.kind,
            )
            log_request(
                remote_addr=record.remote_addr,
                method=record.method,
                path=record.path,
                status=record.status,
                duration=seconds,
                user=record.user_id,
                request_id=own_id,
                route=record.route or UNMATCHED,
                size=sent_bytes,
            )

        self._metrics.begin_request()
        try:
            body = self._application(environ, start)
            if length is not None:
                # The parts of an iterable are sent from this thread, at the pace of the client.
                whole = _whole(body)
        except BaseException:
            end(0)
            raise
        if length is None:
            return StreamedBody(body, end)
        if record.source is not None and record.method == "GET" and record.status in _KEPT:
            self._keep(environ, record, record.source, status_line, sent_headers, whole)
        end(length)
        return [whole]

    def _keep(
        self,
        environ: WSGIEnvironment,
        record: RequestRecord,
        source: Source,
        status_line: str,
        headers: list[tuple[str, str]],
        body: bytes,
    ) -> None:
        """Put the response that `source` determines into the cache."""
        route = record.route or UNMATCHED
        observe = self._metrics.observer(record.method, route, record.status)
        lasting = tuple(header for header in headers if header[0] not in RATE_HEADERS)
        response = CachedResponse(status_line, lasting, body, record.status, route, record.path, observe)
        try:
            self._cache.add(environ, source, response)
        except Exception:
            log.exception("response_not_kept")

    def _request_id(self, offered: str) -> str:
        """Return the client's own id where it has the form of one: another text may be a secret, and is logged."""
        usual = _REQUEST_ID.fullmatch(offered) and not looks_secret(offered)
        return offered if usual and offered not in self._secrets else new_request_id()


def new_request_id() -> str:
    """Return 128 random bits in hex. They tell requests apart and protect nothing."""
    return f"{random.getrandbits(128):032x}"


def _whole(body: Iterable[bytes]) -> bytes:
    try:
        return b"".join(body)
    finally:
        close = getattr(body, "close", None)
        if close is not None:
            close()


class StreamedBody:
    """A body that is made as it is sent, which calls `end` once with the bytes it has sent."""

    def __init__(self, body: Iterable[bytes], end: Callable[[int], None]) -> None:
        self._body = body
        self._end: Callable[[int], None] | None = end
        self._sent_bytes = 0

    def __iter__(self) -> Iterator[bytes]:
        for part in self._body:
            self._sent_bytes += len(part)
            yield part
        self._finish()

    def close(self) -> None:
        try:
            close = getattr(self._body, "close", None)
            if close is not None:
                close()
        finally:
            self._finish()

    def __del__(self) -> None:
        self._finish()

    def _finish(self) -> None:
        end, self._end = self._end, None
        if end is not None:
            end(self._sent_bytes)
