"""The limit of the server: a bare WSGI application that returns prebuilt bytes, without metrics or log."""

from collections.abc import Callable, Iterable
from typing import Any

from benchmarks.peers.common import HEADERS, LIST, LIST_GZIP, ONE


def _headers(body: bytes, **more: str) -> list[tuple[str, str]]:
    return [*HEADERS.items(), *more.items(), ("content-length", str(len(body)))]


_ONE = (_headers(ONE), [ONE])
_LIST = (_headers(LIST), [LIST])
_LIST_GZIP = (_headers(LIST_GZIP, **{"content-encoding": "gzip"}), [LIST_GZIP])


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    if environ["PATH_INFO"] != "/api/v1/books":
        headers, body = _ONE
    elif "gzip" in environ.get("HTTP_ACCEPT_ENCODING", ""):
        headers, body = _LIST_GZIP
    else:
        headers, body = _LIST
    start_response("200 OK", headers)
    return body
