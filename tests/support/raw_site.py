"""A site that responds with raw bytes, valid HTTP or not."""

from __future__ import annotations

import socket
import socketserver
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

Respond = Callable[[socket.socket, int], object]
"""Writes a response to the connection; the number counts the requests for this path, from 1."""


class RawSite:
    """The responses by path, and the requests so far; other paths, robots.txt among them, are 404."""

    def __init__(self, responses: Mapping[str, Respond | bytes], base_url: str) -> None:
        self.responses = dict(responses)
        self.base_url = base_url
        self.requests: Counter[str] = Counter()
        self.heads: list[str] = []

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
        response = self.responses.get(path, http_response(404))
        if isinstance(response, bytes):
            connection.sendall(response)
        else:
            response(connection, self.requests[path])


def http_response(status: int, body: bytes = b"", *headers: str) -> bytes:
    """Make a complete response, after which the connection closes."""
    lines = [f"HTTP/1.1 {status} X", f"Content-Length: {len(body)}", "Connection: close", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


@contextmanager
def raw_site(responses: Mapping[str, Respond | bytes]) -> Iterator[RawSite]:
    """Serve `responses` on a free port of this machine."""

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            try:
                site.handle(self.request)
            except OSError:
                return  # the client hung up

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = False

    with Server(("127.0.0.1", 0), Handler) as server:
        site = RawSite(responses, f"http://127.0.0.1:{server.server_address[1]}/")
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), name="raw-site")
        thread.start()
        try:
            yield site
        finally:
            server.shutdown()
            thread.join()
