"""A server in the place of the bookstore's API, for visitors."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import repeat

from demo.traffic.actors import BOOKS as BOOKS_PATH

FEATURES = {"preco_com_taxa": 20.5, "preco_sem_taxa": 18.0, "disponibilidade": 7}
BOOKS = [{"id": n, "titulo": f"Book {n}", "categoria": "Poetry", **FEATURES} for n in range(3)]


class FakeShop(ThreadingHTTPServer):
    """Gives its `responses` in turn: a status, and what becomes JSON."""

    daemon_threads = True
    block_on_close = False

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.url = f"http://127.0.0.1:{self.server_address[1]}"
        self.responses: Iterator[tuple[int, object]] = repeat((200, BOOKS))
        self.visited = threading.Event()
        """Set by a request for more than the catalogue."""
        self.stalls = False
        self.closing = threading.Event()
        self.lock = threading.Lock()
        """Protects the two below."""
        self.in_flight = self.max_in_flight = 0


class _Handler(BaseHTTPRequestHandler):
    server: FakeShop
    protocol_version = "HTTP/1.1"
    wbufsize = -1
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        shop = self.server
        with shop.lock:
            shop.in_flight += 1
            shop.max_in_flight = max(shop.max_in_flight, shop.in_flight)
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.path != BOOKS_PATH:
            shop.visited.set()
        if shop.stalls:
            shop.closing.wait(30)
        status, body = next(shop.responses)
        content = json.dumps(body).encode()
        with shop.lock:
            shop.in_flight -= 1
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_POST = do_PUT = do_PATCH = do_DELETE = do_GET  # noqa: N815 - the names are http.server's

    def log_message(self, *args: object) -> None:
        pass

    def handle(self) -> None:
        try:
            super().handle()
        except OSError:  # a client whose timeout is over
            self.close_connection = True


@contextmanager
def fake_shop() -> Iterator[FakeShop]:
    """Serve until the `with` block ends."""
    with FakeShop() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        yield server
        server.closing.set()
        server.shutdown()
        thread.join()
