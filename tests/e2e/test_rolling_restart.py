"""Restarts under load: what was accepted is answered."""

from __future__ import annotations

import signal
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path

import requests

from tests.support.balancer import Balancer, Load
from tests.support.orders import wait_until
from tests.support.server import Server

CLIENTS = 4
CHECKED_ORDERS = 100


def books_in_stock(server: Server) -> list[int]:
    return [book["id"] for book in server.get("/api/v1/books").json() if book["disponibilidade"]]


def restart_all(servers: Sequence[Server], balancer: Balancer, load: Load) -> None:
    for server in servers:
        load.wait_for_orders(CLIENTS)
        assert server.end(signal.SIGTERM) == 0
        server.start()
        balancer.wait_until_ready(server.url)
    load.wait_for_orders(CLIENTS)


def assert_all_are_kept(server: Server, load: Load) -> None:
    assert load.lost == []
    assert len(set(load.orders)) == len(load.orders)
    with requests.Session() as session:
        for order_id in load.orders[:: len(load.orders) // CHECKED_ORDERS + 1]:
            found = session.get(f"{server.url}/orders/{order_id}", timeout=10)
            assert found.json()["status"] == "pending"


def test_a_restart_of_the_only_server_loses_no_request(start_server: Callable[..., Server]) -> None:
    server = start_server(DRAIN_DELAY_S="1")
    books = books_in_stock(server)
    with Balancer([server.url]) as balancer:
        load = Load(balancer, books)
        with load.running(CLIENTS):
            restart_all([server], balancer, load)
            restart_all([server], balancer, load)
    assert_all_are_kept(server, load)


def test_a_rolling_restart_of_three_servers_loses_no_request(database_url: str, tmp_path: Path) -> None:
    with ExitStack() as stack:
        servers = [
            stack.enter_context(
                Server(tmp_path / f"data-{place}", DATABASE_URL=database_url, DRAIN_DELAY_S="1")
            )
            for place in range(3)
        ]
        books = books_in_stock(servers[0])
        balancer = stack.enter_context(Balancer([server.url for server in servers]))
        load = Load(balancer, books)
        with load.running(CLIENTS):
            restart_all(servers, balancer, load)
        assert_all_are_kept(servers[0], load)


def test_a_server_that_ends_says_so_and_serves_until_its_delay_is_over(
    start_server: Callable[..., Server],
) -> None:
    server = start_server(DRAIN_DELAY_S="3", WEB_WORKERS="2")
    assert server.process is not None
    server.process.send_signal(signal.SIGTERM)
    wait_until(lambda: {server.get("/readyz").status_code for _ in range(8)} == {503}, within_s=2)
    read = server.get("/api/v1/books/5")
    assert read.status_code == 200
    assert read.headers["Connection"] == "close"
    server.process.send_signal(signal.SIGTERM)  # a second one ends the delay
    assert server.process.wait(2) == 0
