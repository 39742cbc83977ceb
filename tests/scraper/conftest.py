import os
import socket
import socketserver
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from scraper.options import CrawlOptions

Answer = Callable[[socket.socket, int], None]  # the connection, and how often this path has been asked for


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)


@pytest.fixture(autouse=True)
def _no_thread_is_left() -> Iterator[None]:
    yield
    left = [thread.name for thread in threading.enumerate() if thread.name.startswith("scraper")]
    assert left == []


@pytest.fixture
def quick() -> CrawlOptions:
    """Options that lose no time in waiting."""
    return CrawlOptions(
        connect_timeout_s=2.0,
        read_timeout_s=2.0,
        attempt_deadline_s=5.0,
        backoff_base_s=0.002,
        backoff_cap_s=0.02,
    )


class RawSite:
    """Answers with whatever bytes a test likes; paths it was not told of, robots.txt among them, are 404."""

    def __init__(self, answers: dict[str, Answer | bytes]) -> None:
        self.answers = answers
        self.requests: Counter[str] = Counter()
        self.heads: list[str] = []
        self.base_url = ""
        self.released = threading.Event()  # set on the way out, for answers that stall

    def handle(self, connection: socket.socket) -> None:
        head = b""
        while b"\r\n\r\n" not in head:
            received = connection.recv(65536)
            if not received:
                return
            head += received
        path = head.split(b" ", 2)[1].decode()
        self.requests[path] += 1
        self.heads.append(head.decode())
        answer = self.answers.get(path, http(404))
        if isinstance(answer, bytes):
            connection.sendall(answer)
        else:
            answer(connection, self.requests[path])


def http(status: int, body: bytes = b"", *headers: str) -> bytes:
    """A whole answer, after which the connection closes."""
    lines = [f"HTTP/1.1 {status} X", f"Content-Length: {len(body)}", "Connection: close", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


@contextmanager
def running(answers: dict[str, Answer | bytes]) -> Iterator[RawSite]:
    site = RawSite(answers)

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            try:
                site.handle(self.request)
            except OSError:
                return  # the client hung up

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = False

    with Server(("127.0.0.1", 0), Handler) as server:
        site.base_url = f"http://127.0.0.1:{server.server_address[1]}/"
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), name="raw-site")
        thread.start()
        try:
            yield site
        finally:
            site.released.set()
            server.shutdown()
            thread.join()


@pytest.fixture
def raw_site() -> Callable[[dict[str, Answer | bytes]], object]:
    return running


@pytest.fixture
def answer() -> Callable[..., bytes]:
    return http
