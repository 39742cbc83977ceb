"""Request bodies: they arrive in time, or the thread that waits for them is freed."""

import contextvars
import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any, Final, Protocol
from wsgiref.types import InputStream, StartResponse, WSGIApplication, WSGIEnvironment

from app.core.errors import InvalidInput, ShopError
from app.observability.logs.context import request_id
from app.web.clients import client_of

log = logging.getLogger(__name__)

CONNECTION: Final = "livraria.connection"
"""The key of the environ under which the server puts its `Connection`."""
FAILURE: Final = "livraria.failure"
"""The key of the environ under which Flask finds the ShopError that it responds with."""
PIECE_BYTES = 65_536
UNLIMITED_PATH = "/livez"
"""A process that is busy lives."""
ADMISSION_TIMEOUT_S = 5.0
_CHECK_EVERY_S = 0.25
_FLUSH_S = 0.02
"""What the network thread gets to send a response before the connection is closed."""
_WITH_BODIES = ("POST", "PUT", "PATCH", "DELETE")


class Connection(Protocol):
    """What granian calls the protocol: any thread may respond, once."""

    def response_iter(self, status: int, headers: list[tuple[str, str]], body: Iterator[bytes]) -> None: ...


class BodyTimedOut(ShopError):
    detail = "O corpo da requisição não chegou a tempo."


class TooManyBodies(ShopError):
    detail = "Clientes demais enviam corpos devagar. Tente de novo."


class LargeBodyInProgress(ShopError):
    detail = "Outro arquivo grande está sendo recebido. Tente de novo em instantes."


class ServerBusy(ShopError):
    detail = "Requisições demais ao mesmo tempo. Tente de novo."


@dataclass(frozen=True, slots=True)
class LargeBodies:
    """Paths whose bodies may be larger than others, up to a limit each, where `admits` the request.

    One at a time, until it has been responded to: a process has memory for no more.
    """

    limits: Mapping[str, int]
    admits: Callable[[WSGIEnvironment], bool]
    place: threading.BoundedSemaphore = field(default_factory=lambda: threading.BoundedSemaphore(1))


@dataclass(slots=True, eq=False)
class _Wait:
    """A thread that waits for a body; the first to remove it from `_waits` responds."""

    client: str
    deadline: float
    environ: WSGIEnvironment
    start_response: StartResponse
    context: contextvars.Context
    given_up: threading.Event | None = None
    response: list[bytes] = field(default_factory=list)


class BodyGuard:
    """A WSGI application that reads a body before Flask is called, and bounds how many requests are inside Flask.

    A body has `timeout_s`, and `PIECE_BYTES / min_rate` seconds more for each piece of it that has arrived. At most
    `max_waits` threads wait: where another one must, the oldest body of the client with the most of them is given up.
    So a body that comes with its headers is read however many don't. `_lock` protects `_waits`, in order of arrival.

    hyper, below granian, goes on reading a body after its request has been responded to, for as long as the client
    likes, and then the thread still waits. It closes a connection only where a response ends before its announced
    length: that of a body given up lacks its last byte, a line break.
    """

    def __init__(
        self,
        application: WSGIApplication,
        *,
        max_body_bytes: int,
        large_bodies: LargeBodies | None = None,
        max_requests: int,
        max_waits: int,
        timeout_s: float,
        min_rate: int,
    ) -> None:
        self._application = application
        self._max_body_bytes = max_body_bytes
        self._large = large_bodies
        self._places = threading.BoundedSemaphore(max_requests)
        self._max_waits = max_waits
        self._timeout_s = timeout_s
        self._piece_s = PIECE_BYTES / min_rate
        self._lock = threading.Lock()
        self._waits: dict[_Wait, None] = {}
        self._watch: threading.Thread | None = None

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if environ.get("CONTENT_LENGTH", "0") not in ("", "0") or "HTTP_TRANSFER_ENCODING" in environ:
            large = self._large
            if large is not None and environ["PATH_INFO"] in large.limits and self._is_large(environ, large):
                return self._run_large(environ, start_response, large)
            given_up = self._receive(environ, start_response, self._max_body_bytes)
            if given_up is not None:
                return given_up
        return self._run(environ, start_response)

    def _is_large(self, environ: WSGIEnvironment, large: LargeBodies) -> bool:
        length = environ.get("CONTENT_LENGTH", "")
        return (not length.isdecimal() or int(length) > self._max_body_bytes) and large.admits(environ)

    def _run_large(
        self, environ: WSGIEnvironment, start_response: StartResponse, large: LargeBodies
    ) -> Iterable[bytes]:
        if not large.place.acquire(blocking=False):
            environ[FAILURE] = LargeBodyInProgress()
            return self._run(environ, start_response)
        try:
            given_up = self._receive(environ, start_response, large.limits[environ["PATH_INFO"]])
            return self._run(environ, start_response) if given_up is None else given_up
        finally:
            large.place.release()

    def _run(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if environ["PATH_INFO"] == UNLIMITED_PATH:
            return self._application(environ, start_response)
        if not self._places.acquire(timeout=ADMISSION_TIMEOUT_S):
            environ[FAILURE] = ServerBusy()
            return self._application(environ, start_response)
        try:
            return self._application(environ, start_response)
        finally:
            self._places.release()

    def _receive(
        self, environ: WSGIEnvironment, start_response: StartResponse, limit: int
    ) -> list[bytes] | None:
        """Replace the stream by the body; return the response where it was given up instead.

        What Flask refuses unread, or never reads, is not waited for.
        """
        connection: Connection | None = environ.get(CONNECTION)
        if connection is None:  # another server than granian, as in tests: it has limits of its own
            return None
        length = environ.get("CONTENT_LENGTH")
        announced = int(length) if length and length.isdecimal() else None
        stream: InputStream = environ["wsgi.input"]
        if announced is not None and announced > limit:
            environ["wsgi.input"] = BytesIO()  # a thread of Flask waits for no client
            return None
        if environ["REQUEST_METHOD"] not in _WITH_BODIES:
            environ["wsgi.input"] = BytesIO()
            return None
        wait = _Wait(
            client_of(environ),
            time.monotonic() + self._timeout_s,
            environ,
            start_response,
            contextvars.copy_context(),
        )
        self._add(wait)
        try:
            body = self._read(stream, announced, wait, limit)
        finally:
            with self._lock:
                self._waits.pop(wait, None)
        if wait.given_up is not None:
            wait.given_up.wait()
            return wait.response
        if announced is not None and len(body) < announced:
            environ[FAILURE] = InvalidInput.of("corpo", "terminou antes do tamanho anunciado")
        environ["wsgi.input"] = BytesIO(body)
        return None

    def _read(self, stream: InputStream, announced: int | None, wait: _Wait, limit: int) -> bytes:
        missing = limit + 1 if announced is None else announced
        pieces = []
        while missing > 0:
            size = min(missing, PIECE_BYTES)
            piece = stream.read(size)
            pieces.append(piece)
            missing -= len(piece)
            if len(piece) < size:
                break
            wait.deadline += self._piece_s
        return b"".join(pieces)

    def _add(self, wait: _Wait) -> None:
        oldest: _Wait | None = None
        with self._lock:
            if self._watch is None:  # here, since threads don't survive the fork of a worker
                self._watch = threading.Thread(target=self._give_up_overdue, name="body-watch", daemon=True)
                self._watch.start()
            if len(self._waits) >= self._max_waits:
                busiest, _ = Counter(other.client for other in self._waits).most_common(1)[0]
                oldest = next(other for other in self._waits if other.client == busiest)
                given_up = self._take_over(oldest)
            self._waits[wait] = None
        if oldest is not None:
            self._give_up(oldest, given_up, TooManyBodies())

    def _take_over(self, wait: _Wait) -> threading.Event:
        """Remove `wait`, whose thread then waits for the event; the caller has the lock."""
        del self._waits[wait]
        wait.given_up = threading.Event()
        return wait.given_up

    def _give_up_overdue(self) -> None:
        while True:
            time.sleep(_CHECK_EVERY_S)
            now = time.monotonic()
            with self._lock:
                late = [wait for wait in self._waits if wait.deadline < now]
                overdue = [(wait, self._take_over(wait)) for wait in late]
            for wait, given_up in overdue:
                self._give_up(wait, given_up, BodyTimedOut())

    def _give_up(self, wait: _Wait, given_up: threading.Event, failure: ShopError) -> None:
        """Respond in place of the thread that waits, which ends that thread's wait."""
        try:
            wait.context.run(self._respond, wait, failure)
        except Exception:
            log.exception("body_not_given_up")
        finally:
            given_up.set()

    def _respond(self, wait: _Wait, failure: ShopError) -> None:
        started: tuple[str, list[tuple[str, str]]] = "500", []

        def start(line: str, headers: list[tuple[str, str]], *error: Any) -> Callable[[bytes], object]:
            nonlocal started
            started = line, headers
            return wait.start_response(line, headers, *error)

        # The stream is left out: to read it would be to wait as well.
        environ = {**wait.environ, FAILURE: failure, "wsgi.input": BytesIO()}
        wait.response = list(self._application(environ, start))
        body = b"".join(wait.response)
        line, headers = started
        own = ("content-length", "connection", "x-request-id")
        headers = [(name, value) for name, value in headers if name.lower() not in own]
        headers += [("Connection", "close"), ("Content-Length", str(len(body) + 1))]
        headers += [("X-Request-ID", request_id.get())]
        connection: Connection = wait.environ[CONNECTION]
        connection.response_iter(int(line[:3]), headers, _all_but_the_end(body))


def _all_but_the_end(body: bytes) -> Iterator[bytes]:
    yield body
    time.sleep(_FLUSH_S)
