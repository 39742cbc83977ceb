"""Headers that browsers act on and that depend on the request: CORS and HSTS."""

from collections.abc import Collection, Iterable
from typing import Any, Final
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

HSTS: Final = ("Strict-Transport-Security", "max-age=31536000")
_PREFLIGHT: Final = [
    ("Access-Control-Allow-Methods", "GET, HEAD, POST, PUT, PATCH, DELETE"),
    (
        "Access-Control-Allow-Headers",
        "Authorization, Content-Type, X-API-Key, X-Request-ID, Idempotency-Key, If-Match, If-None-Match",
    ),
    ("Access-Control-Max-Age", "600"),
]


class BrowserHeaders:
    """A WSGI application around the cache of responses, which holds what is the same for all clients.

    Tokens and keys travel in headers of the client's own and never in cookies, so that no response allows
    credentials: a page of another origin can send only what its user gave it. Immutable, so threads share it.
    """

    def __init__(self, application: WSGIApplication, origins: Collection[str], *, hsts: bool) -> None:
        """Let pages of `origins` read responses; with `hsts`, tell clients that come by TLS to stay with it."""
        self._application = application
        self._origins = frozenset(origins)
        self._hsts = hsts

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        added = [HSTS] if self._hsts and environ["wsgi.url_scheme"] == "https" else []
        origin = environ.get("HTTP_ORIGIN", "")
        if origin in self._origins:
            added += [("Access-Control-Allow-Origin", origin), ("Access-Control-Expose-Headers", "*")]
            if environ["REQUEST_METHOD"] == "OPTIONS" and "HTTP_ACCESS_CONTROL_REQUEST_METHOD" in environ:
                added += _PREFLIGHT

        if not added and not self._origins:
            return self._application(environ, start_response)

        def start(status: str, headers: list[tuple[str, str]], error: Any = None) -> Any:
            if self._origins:
                headers = _vary_by_origin(headers)
            return start_response(status, headers + added, error)

        return self._application(environ, start)


def _vary_by_origin(headers: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Return the headers with `Origin` in `Vary`, for a shared cache on the way."""
    varies = [value for name, value in headers if name == "Vary"]
    others = [header for header in headers if header[0] != "Vary"]
    return [*others, ("Vary", ", ".join([*varies, "Origin"]))]
