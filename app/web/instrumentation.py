"""Counts every request, whatever becomes of it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from flask import Flask, request

from app.observability.metrics import Metrics
from app.web.endpoint import operation_of
from app.web.error_handlers import ERROR_TYPE, MEANINGS

ROUTE: Final = "livraria.route"
ENDPOINT: Final = "livraria.endpoint"
"""Keys of the WSGI environment, by which Flask's side tells this one which route answers."""
ORDER_TYPES: Final = {
    "orders.place_order": "create",
    "orders.change_order_status": "update",
    "orders.edit_order": "update",
}
LOGIN_OUTCOMES: Final = {200: "success", 401: "failure", 429: "throttled"}


def instrument(app: Flask, metrics: Metrics) -> None:
    """Count the requests of `app`, whose routes are all there by now."""
    for rule in app.url_map.iter_rules():
        declared = operation_of(app.view_functions[rule.endpoint])
        errors = declared.error_statuses() if declared is not None else (500,)
        statuses = [*(declared.answers if declared is not None else ()), *errors]
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            metrics.begin_route(method, rule.rule, statuses, [MEANINGS[status][1] for status in errors])
    app.wsgi_app = Instrumented(app.wsgi_app, metrics)  # type: ignore[method-assign]


def note_route() -> None:
    """Remember which route the request in progress is for, before anything can refuse it."""
    if request.url_rule is not None:
        request.environ[ROUTE] = request.url_rule.rule
        request.environ[ENDPOINT] = request.endpoint


class Instrumented:
    """A WSGI application around another: outermost, so that nothing of a request escapes it."""

    def __init__(self, application: WSGIApplication, metrics: Metrics) -> None:
        self._application = application
        self._metrics = metrics

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        started, status = time.perf_counter(), 500
        seconds: float | None = None
        ended = False

        def note_status(line: str, headers: list[tuple[str, str]], error: Any = None) -> Any:
            nonlocal status, seconds
            status, seconds = int(line[:3]), time.perf_counter() - started
            return start_response(line, headers, error)

        def end() -> None:
            nonlocal ended
            if not ended:
                ended = True
                self._metrics.end_request()
                # Up to the answer's beginning: a stream goes on for as long as its client likes.
                self._count(environ, status, time.perf_counter() - started if seconds is None else seconds)

        self._metrics.begin_request()
        try:
            body = self._application(environ, note_status)
        except BaseException:
            end()
            raise
        return CountedBody(body, end)

    def _count(self, environ: WSGIEnvironment, status: int, seconds: float) -> None:
        endpoint = environ.get(ENDPOINT)
        self._metrics.count_request(
            environ["REQUEST_METHOD"], environ.get(ROUTE), status, seconds, environ.get(ERROR_TYPE)
        )
        if endpoint in ORDER_TYPES:
            self._metrics.count_order_request(ORDER_TYPES[endpoint], seconds)
        if endpoint == "auth.log_in" and status in LOGIN_OUTCOMES:
            self._metrics.count_login(LOGIN_OUTCOMES[status])


class CountedBody:
    """An answer's body that tells when it was sent, when its client hung up, or when nobody holds it any more."""

    def __init__(self, body: Iterable[bytes], end: Callable[[], None]) -> None:
        self._body = body
        self._end = end

    def __iter__(self) -> Iterator[bytes]:
        yield from self._body
        self._end()

    def close(self) -> None:
        try:
            close = getattr(self._body, "close", None)
            if close is not None:
                close()
        finally:
            self._end()

    def __del__(self) -> None:
        self._end()
