"""What the HTTP layer refuses before the shop sees it, as docs/operations.md says."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator

import pytest

from tests.support.server import Server


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with Server(tmp_path_factory.mktemp("limits") / "data") as server:
        yield server


def ask(server: Server, request: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection:
        connection.sendall(request)
        return connection.recv(65_536)


def head(path: bytes = b"/livez", headers: int = 0, header_bytes: int = 0) -> bytes:
    lines = [b"GET %s HTTP/1.1" % path, b"Host: shop", *(b"X-%d: a" % number for number in range(headers))]
    return b"\r\n".join([*lines, b"Y: " + b"a" * header_bytes]) + b"\r\n\r\n"


@pytest.mark.parametrize(
    ("request_bytes", "status"),
    [
        (b"B@D / HTTP/1.1\r\nHost: shop\r\n\r\n", 400),
        (head(b"/" + b"a" * 66_000), 414),
        (head(headers=99), 431),
        (head(header_bytes=400_000), 431),
    ],
    ids=["no method", "long address", "many headers", "large header"],
)
def test_what_is_no_request_is_refused_without_a_body(
    server: Server, request_bytes: bytes, status: int
) -> None:
    answer = ask(server, request_bytes)
    assert answer.startswith(b"HTTP/1.1 %d " % status)
    assert b"content-length: 0" in answer


def test_a_hundred_headers_are_served(server: Server) -> None:
    assert ask(server, head(headers=98)).startswith(b"HTTP/1.1 200 ")


def test_an_address_that_the_shop_sees_is_refused_in_the_usual_shape(server: Server) -> None:
    answer = ask(server, head(b"/" + b"a" * 60_000))
    assert answer.startswith(b"HTTP/1.1 414 ")
    assert b"application/problem+json" in answer


def test_a_silent_connection_is_closed(start_server: Callable[..., Server]) -> None:
    server = start_server()
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection:
        assert connection.recv(1) == b""
