"""How many requests are inside Flask; tests/e2e/test_slow_clients.py has the rest."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from typing import Any

import pytest
from werkzeug.test import EnvironBuilder, run_wsgi_app

from app.web import body_guard
from app.web.body_guard import (
    CONNECTION,
    FAILURE,
    UNLIMITED_PATH,
    BodyGuard,
    LargeBodies,
    LargeBodyInProgress,
    ServerBusy,
)


class SlowApplication:
    """Shows what it is called with; `/slow` takes until it is told to end."""

    def __init__(self) -> None:
        self.called = threading.Event()
        self.may_end = threading.Event()
        self.failures: list[object] = []

    def __call__(self, environ: dict[str, Any], start_response: Any) -> list[bytes]:
        if environ["PATH_INFO"] == "/slow":
            self.called.set()
            self.may_end.wait(10)
        self.failures.append(environ.get(FAILURE))
        start_response("204 No Content", [])
        return []


@pytest.fixture
def application() -> SlowApplication:
    return SlowApplication()


@pytest.fixture
def guard(application: SlowApplication, monkeypatch: pytest.MonkeyPatch) -> BodyGuard:
    monkeypatch.setattr(body_guard, "ADMISSION_TIMEOUT_S", 0.01)
    return BodyGuard(
        application, max_body_bytes=1_000, max_requests=1, max_waits=1, timeout_s=1.0, min_rate=1_000
    )


def call(guard: BodyGuard, path: str) -> None:
    run_wsgi_app(guard, EnvironBuilder(path).get_environ())


@contextmanager
def a_request_inside(guard: BodyGuard, application: SlowApplication) -> Iterator[None]:
    thread = threading.Thread(target=call, args=(guard, "/slow"))
    thread.start()
    assert application.called.wait(10)
    yield
    application.may_end.set()
    thread.join()


def test_a_request_more_than_may_be_inside_is_refused(guard: BodyGuard, application: SlowApplication) -> None:
    with a_request_inside(guard, application):
        call(guard, "/")
        assert isinstance(application.failures[-1], ServerBusy)
    call(guard, "/")
    assert application.failures[-1] is None


def test_a_busy_process_says_that_it_lives(guard: BodyGuard, application: SlowApplication) -> None:
    with a_request_inside(guard, application):
        call(guard, UNLIMITED_PATH)
        assert application.failures == [None]


@pytest.fixture
def with_large(application: SlowApplication) -> BodyGuard:
    large = LargeBodies({"/large": 5_000, "/slow": 5_000}, lambda environ: "HTTP_AUTHORIZATION" in environ)
    return BodyGuard(
        application,
        max_body_bytes=1_000,
        large_bodies=large,
        max_requests=2,
        max_waits=2,
        timeout_s=1.0,
        min_rate=1_000,
    )


def send(guard: BodyGuard, path: str, body: bytes, *, known: bool = True, chunked: bool = False) -> Unread:
    """Send a body as granian passes it on; return the stream that the guard read it from."""
    stream = Unread(body)
    builder = EnvironBuilder(path, method="POST", input_stream=stream, content_length=len(body))
    environ = {**builder.get_environ(), CONNECTION: object()}
    if chunked:
        del environ["CONTENT_LENGTH"]
        environ["HTTP_TRANSFER_ENCODING"] = "chunked"
    if known:
        environ["HTTP_AUTHORIZATION"] = "Bearer x"
    run_wsgi_app(guard, environ)
    return stream


class Unread(BytesIO):
    @property
    def left(self) -> int:
        return len(self.getvalue()) - self.tell()


def test_a_large_body_is_read_where_it_may_be_and_no_further(with_large: BodyGuard) -> None:
    assert send(with_large, "/large", b"x" * 4_000).left == 0
    assert send(with_large, "/large", b"x" * 9_000, chunked=True).left == 9_000 - 5_001
    assert send(with_large, "/large", b"x" * 5_001).left == 5_001
    assert send(with_large, "/large", b"x" * 4_000, known=False).left == 4_000
    assert send(with_large, "/large", b"x" * 4_000, known=False, chunked=True).left == 4_000 - 1_001
    assert send(with_large, "/small", b"x" * 4_000).left == 4_000


def test_one_large_body_is_held_at_a_time_until_its_request_has_ended(
    with_large: BodyGuard, application: SlowApplication
) -> None:
    thread = threading.Thread(target=send, args=(with_large, "/slow", b"x" * 2_000))
    thread.start()
    assert application.called.wait(10)
    assert send(with_large, "/large", b"x" * 2_000).left == 2_000
    assert isinstance(application.failures[-1], LargeBodyInProgress)
    assert send(with_large, "/large", b"x" * 1_000).left == 0, "others are read as ever"
    application.may_end.set()
    thread.join()
    assert send(with_large, "/large", b"x" * 2_000).left == 0
    assert application.failures[-1] is None
