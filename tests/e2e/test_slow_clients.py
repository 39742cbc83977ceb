"""The server among clients that never finish: it serves the others as if they were not there."""

from __future__ import annotations

import http.client
import json
import socket
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.support.hostile_clients import hostile_clients
from tests.support.server import Server

FRIENDLY_ADDRESS = "127.0.0.2"
ROUNDS = 40
P99_S = 0.5
"""What a friendly request may take at most, on a machine that is busy with other tests too."""
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
    server: Server, method: str, path: str, expected: int, body: Any = None, headers: Mapping[str, str] | None = None
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
        {"slow_reader": 200, "slow_file": 200, "half_open": 500},
    ],
    ids=lambda attack: "+".join(attack),
)
def test_slow_clients_delay_no_friendly_one(
    start_server: Callable[..., Server], attack: dict[str, int]
) -> None:
    server = start_server()
    friendly_seconds(server)
    with hostile_clients(server.port, **attack):
        taken = friendly_seconds(server)
    slowest = {name: max(seconds) for name, seconds in taken.items()}
    assert max(slowest.values()) < P99_S, slowest
