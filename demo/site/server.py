"""The demonstration shop over HTTP: see DemoSite."""

import contextlib
import gzip
import socket
import socketserver
import sys
import threading
from collections.abc import Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

from demo.site.books import DemoBook
from demo.site.faults import Faults
from demo.site.movement import Calendar
from demo.site.pages import Page, Pages
from demo.site.stats import Stats, StatsRecorder

IDLE_CONNECTION_S = 60
GZIP_FROM_BYTES = 512
NOT_FOUND = Page("text/html", b"<h1>Not found</h1>")
LATER = Page("text/html", b"<h1>Try again later</h1>")


class DemoSite:
    """A running shop, as a context manager.

    Its threads share the pages and `robots_txt`, which are only replaced whole, and the recorder, which has a lock.
    """

    def __init__(
        self,
        books: Sequence[DemoBook],
        faults: Faults | None = None,
        host: str = "127.0.0.1",
        port: int = 0,
        robots_txt: str | None = None,
        calendar: Calendar | None = None,
    ) -> None:
        """Listen at once, and respond inside the `with` block. Raises OSError if the port is taken.

        With a `calendar`, each crawl, which begins with /robots.txt, meets the shop's next day.
        """
        self.faults = faults or Faults()
        self.robots_txt = robots_txt
        self.calendar = calendar
        self.closing = threading.Event()
        self.recorder = StatsRecorder()
        self.replace_books(books)
        self._server = _Server((host, port), self)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), name="demo-site")

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.closing.set()
        self._server.shutdown()
        self._thread.join()
        self._server.hang_up()
        self._server.server_close()

    @property
    def base_url(self) -> str:
        host, port = self._server.server_address[:2]
        return f"http://{host!s}:{port}/"

    @property
    def stats(self) -> Stats:
        """Copy the present counts."""
        return self.recorder.snapshot()

    def replace_books(self, books: Sequence[DemoBook]) -> None:
        """Serve another catalogue from the next request on."""
        self.pages = Pages(books, self.faults.lacking)


class _Server(ThreadingHTTPServer):
    daemon_threads = False  # server_close() joins the handlers' threads
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], site: DemoSite) -> None:
        self.site = site
        self._connections_lock = threading.Lock()  # protects `_connections`
        self._connections: set[socket.socket] = set()
        super().__init__(address, _Handler)

    def server_bind(self) -> None:
        socketserver.TCPServer.server_bind(self)  # HTTPServer's would look the host's name up in the DNS
        self.server_name, self.server_port = str(self.server_address[0]), int(self.server_address[1])

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._connections_lock:
            self._connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        with self._connections_lock:
            self._connections.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        if not isinstance(sys.exception(), OSError):  # a client that hangs up is no error of ours
            super().handle_error(request, client_address)

    def hang_up(self) -> None:
        """Close the idle keep-alive connections, whose threads would otherwise wait for their clients."""
        with self._connections_lock:
            for connection in self._connections:
                with contextlib.suppress(OSError):  # the client was faster
                    connection.shutdown(socket.SHUT_RDWR)


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"
    timeout = IDLE_CONNECTION_S
    wbufsize = 64 * 1024  # head and body leave in one piece
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        site = self.server.site
        path = self.path.partition("?")[0]
        nth = site.recorder.begin_request(path, self.headers.get("User-Agent", ""))
        if site.faults.latency_s:
            site.closing.wait(site.faults.latency_s)
        if path == "/robots.txt":
            if site.calendar is not None:
                site.replace_books(site.calendar.next_day())
            self._send_robots(site.robots_txt)
        else:
            self._send_page(path, nth)

    def _send_robots(self, robots_txt: str | None) -> None:
        if robots_txt is None:
            self._send(404, NOT_FOUND)
        else:
            self._send(200, Page("text/plain", robots_txt.encode()))

    def _send_page(self, path: str, nth: int) -> None:
        faults = self.server.site.faults
        page = self.server.site.pages.render(path)
        if faults.should_fail("drop", faults.drop_rate, path, nth):
            self.server.site.recorder.end_request(None, "drop")
            self.close_connection = True
        elif faults.should_fail("error", faults.error_rate, path, nth):
            self._send(faults.error_status, LATER, fault="error", retry_after_s=faults.retry_after_s)
        elif page is None:
            self._send(404, NOT_FOUND)
        elif faults.should_fail("truncate", faults.truncate_rate, path, nth):
            self._send(200, page, fault="truncate")
        else:
            self._send(200, page)

    def _send(self, status: int, page: Page, fault: str = "", retry_after_s: int | None = None) -> None:
        body = page.body
        self.send_response(status)
        self.send_header("Content-Type", page.content_type)
        if len(body) >= GZIP_FROM_BYTES and "gzip" in self.headers.get("Accept-Encoding", ""):
            body = gzip.compress(body, 1)
            self.send_header("Content-Encoding", "gzip")
        self.send_header("Content-Length", str(len(body)))
        if retry_after_s is not None:
            self.send_header("Retry-After", str(retry_after_s))
        self.server.site.recorder.end_request(status, fault)
        self.end_headers()
        if fault == "truncate":
            self.wfile.write(body[: len(body) // 2])
            self.close_connection = True
        else:
            self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 (the name is http.server's)
        pass
