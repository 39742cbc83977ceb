"""The server among clients that never finish: it serves the others as if they were not there."""

from __future__ import annotations

import http.client
import json
import select
import socket
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack, closing, suppress
from pathlib import Path
from typing import Any

import pytest

from tests.support.exposition import read_samples, value
from tests.support.hostile_clients import hostile_clients
from tests.support.orders import wait_until
from tests.support.server import Server

FRIENDLY_ADDRESS = "127.0.0.2"
ROUNDS = 40
MOST_S = 2.0
"""What a friendly request may take, on a machine that is busy with other tests too."""
MOST_THREADS = 64 + 20
"""WEB_THREADS, BODY_THREADS, and those of the application and of granian's network."""
DATABASE_FILES = 20
"""What threads that have met the database first under attack may leave open."""
LOGIN = {"username": "admin", "password": "1234"}
API_KEY = {"X-API-Key": "minha_chave_secreta_empresa"}


def friendly_seconds(server: Server) -> dict[str, list[float]]:
    """Read a book, log in and place an order, each on a connection of its own; return how long each took."""
    taken: dict[str, list[float]] = {"read": [], "login": [], "order": []}
    in_stock = [book["id"] for book in server.get("/api/v1/books").json() if book["disponibilidade"] >= 3]
    for number in in_stock[:ROUNDS]:
        order = {"customer_id": "c1", "items": [{"product_id": number, "quantity": 1}]}
        taken["read"].append(timed(server, "GET", f"/api/v1/books/{number}", 200))
        taken["login"].append(timed(server, "POST", "/api/v1/auth/login", 200, LOGIN))
        taken["order"].append(timed(server, "POST", "/orders", 201, order, API_KEY))
    return taken


def timed(
    server: Server,
    method: str,
    path: str,
    expected: int,
    body: Any = None,
    headers: Mapping[str, str] | None = None,
) -> float:
    began = time.monotonic()
    connection = http.client.HTTPConnection(
        "127.0.0.1", server.port, timeout=10, source_address=(FRIENDLY_ADDRESS, 0)
    )
    content = None if body is None else json.dumps(body)
    connection.request(method, path, content, {"Content-Type": "application/json", **(headers or {})})
    response = connection.getresponse()
    answer = response.read()
    connection.close()
    assert response.status == expected, answer
    return time.monotonic() - began


@pytest.mark.parametrize(
    "attack",
    [
        {"stalled_body": 1_000},
        {"dripping_body": 300, "chunked_body": 300, "slow_headers": 300},
        {"slow_reader": 100, "slow_file": 50, "half_open": 500},
        {"stalled_body": 1_000, "slow_headers": 300, "slow_reader": 100, "half_open": 500},
    ],
    ids="+".join,
)
def test_slow_clients_delay_no_friendly_one(
    start_server: Callable[..., Server], attack: dict[str, int]
) -> None:
    server = start_server()
    friendly_seconds(server)
    open_before = open_files(server)
    with hostile_clients(server.port, **attack):
        taken = friendly_seconds(server)
        assert threads(server) < MOST_THREADS
    slowest = {name: max(seconds) for name, seconds in taken.items()}
    assert max(slowest.values()) < MOST_S, slowest
    wait_until(lambda: open_files(server) <= open_before + DATABASE_FILES)


def test_a_body_that_does_not_arrive_is_answered_and_counted(start_server: Callable[..., Server]) -> None:
    server = start_server(BODY_TIMEOUT_S="1")
    with closing(begin_login(server, b"Content-Length: 50")) as connection:
        answer = b"".join(iter(lambda: connection.recv(65_536), b""))
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 408 ")
    assert b"\r\nconnection: close\r\n" in head.lower() + b"\r\n"
    problem = json.loads(body)
    assert (problem["status"], problem["error_type"]) == (408, "request_timeout")
    assert problem["request_id"].encode() in head
    metrics = server.get("/metrics").text
    assert 'api_requests_total{endpoint="/api/v1/auth/login",method="POST",status="408"} 1.0' in metrics


def test_a_body_that_drips_beyond_its_time_is_given_up(start_server: Callable[..., Server]) -> None:
    server = start_server(BODY_TIMEOUT_S="1")
    with closing(begin_login(server, b"Content-Length: 5000")) as connection:
        began = time.monotonic()
        connection.settimeout(0.1)
        answer = b""
        while not answer:
            with suppress(TimeoutError):
                connection.send(b"x")
                answer = connection.recv(12)
        assert answer == b"HTTP/1.1 408"
        assert time.monotonic() - began < 5


def test_a_large_body_that_keeps_coming_may_take_longer(start_server: Callable[..., Server]) -> None:
    server = start_server(BODY_TIMEOUT_S="1", BODY_MIN_RATE="65536")
    size = 4 * 65_536
    with closing(begin_login(server, b"Content-Length: %d" % size, first=b"")) as connection:
        for _ in range(8):
            connection.sendall(b" " * (size // 8))
            time.sleep(0.2)  # the pace of the client
        assert connection.recv(12) == b"HTTP/1.1 400"


def requests_in_progress(server: Server) -> float:
    """Return how many requests have begun and not ended, the one that asks included."""
    return value(read_samples(server.get("/metrics").text), "ecommerce_active_sessions_gauge")


def test_the_client_with_the_most_stalled_bodies_gives_way(start_server: Callable[..., Server]) -> None:
    server = start_server(BODY_THREADS="3", BODY_TIMEOUT_S="30")
    with ExitStack() as connections:

        def stall(address: str) -> socket.socket:
            return connections.enter_context(closing(begin_login(server, b"Content-Length: 50", address)))

        other = stall("127.0.0.3")
        busiest = [stall("127.0.0.4"), stall("127.0.0.4")]
        # A login that came between them would find another client with as many.
        wait_until(lambda: requests_in_progress(server) == 4)
        assert timed(server, "POST", "/api/v1/auth/login", 200, LOGIN) < MOST_S
        [given_up], _, _ = select.select(busiest, [], [], MOST_S)
        answer = given_up.recv(65_536)
        assert answer.startswith(b"HTTP/1.1 503 ")
        assert b"retry-after: 1" in answer.lower()
        other.settimeout(0.1)
        with pytest.raises(TimeoutError):
            other.recv(1)


def test_a_body_that_ends_early_is_refused(start_server: Callable[..., Server]) -> None:
    server = start_server()
    with closing(begin_login(server, b"Content-Length: 500", first=json.dumps(LOGIN).encode())) as connection:
        connection.shutdown(socket.SHUT_WR)
        connection.recv(65_536)
    logins = [line for line in server.get("/api/v1/logs").json() if line.get("path") == "/api/v1/auth/login"]
    assert [login["status"] for login in logins] == [400]


def test_a_client_that_takes_in_nothing_is_disconnected(start_server: Callable[..., Server]) -> None:
    server = start_server(SEND_TIMEOUT_S="1")
    with socket.socket() as reader:
        reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        reader.connect(("127.0.0.1", server.port))
        reader.sendall(b"GET /api/v1/books HTTP/1.1\r\nHost: shop\r\n\r\n" * 50)
        port = reader.getsockname()[1]
        wait_until(lambda: is_connected(server, port))
        wait_until(lambda: not is_connected(server, port))


def begin_login(
    server: Server, header: bytes, address: str = FRIENDLY_ADDRESS, first: bytes = b"{"
) -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", server.port), timeout=10, source_address=(address, 0))
    connection.sendall(
        b"POST /api/v1/auth/login HTTP/1.1\r\nHost: shop\r\nContent-Type: application/json\r\n"
        + header
        + b"\r\n\r\n"
        + first
    )
    return connection


def is_connected(server: Server, client_port: int) -> bool:
    """Return whether the server's end of a connection lives; the client isn't told of a silent end."""
    ends = f":{server.port:04X} 0100007F:{client_port:04X} 01 "
    return ends in Path("/proc/net/tcp").read_text()


def open_files(server: Server) -> int:
    return len(list(Path(f"/proc/{worker_of(server)}/fd").iterdir()))


def threads(server: Server) -> int:
    return len(list(Path(f"/proc/{worker_of(server)}/task").iterdir()))


def worker_of(server: Server) -> int:
    assert server.process is not None
    supervisor = server.process.pid
    children = [
        int(child)
        for task in Path(f"/proc/{supervisor}/task").iterdir()
        for child in (task / "children").read_text().split()
    ]
    return children[0]
