"""Copies of a shop's data: between databases, and beside a running server."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path

import pytest
from flask import Flask

from app.services.backup import opened_file
from app.storage.orders import find_order
from tests.support.commands import run
from tests.support.orders import API_KEY, get_orders, order_for, place_order
from tests.support.server import Server

BUYERS = 4
READ = ("/api/v1/books", "/api/v1/stats/overview", "/api/v1/stats/categories", "/orders")


def test_a_shop_moves_from_sqlite_to_postgresql_and_back(
    make_app: Callable[..., Flask], database_url: str, tmp_path: Path
) -> None:
    here = make_app()
    plenty = [
        book["id"] for book in here.test_client().get(READ[0]).get_json() if book["disponibilidade"] > 5
    ]
    for one, other in pairwise(plenty[:9]):
        place_order(here.test_client(), (one, 1), (other, 2), notes=f"“{one}” ação\n")
    code, told = run(here, "db-copy", "--to", database_url)
    assert code == 0, told
    there = make_app(database_url=database_url)
    for path in READ:
        one, other = (app.test_client().get(path, headers=API_KEY) for app in (here, there))
        assert one.get_json() == other.get_json()
    place_order(there.test_client(), (plenty[3], 1))
    code, told = run(there, "backup", tmp_path / "back.db")
    assert code == 0, told
    again = make_app(database_url=f"sqlite:///{tmp_path}/again.db")
    code, told = run(again, "restore", tmp_path / "back.db")
    assert code == 0, told
    assert get_orders(again.test_client()) == get_orders(there.test_client())
    place_order(again.test_client(), (plenty[4], 1))
    assert run(again, "audit")[0] == 0


class Buyers:
    """Clients that order one copy after the other until they are told to stop; `placed` has what was acknowledged."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._stop = threading.Event()
        self.placed: list[str] = []

    def run(self) -> None:
        number = 0
        while not self._stop.is_set():
            number += 1
            response = self._server.post("/orders", API_KEY, order_for((number % 900, 1)))
            if response.status_code == 201:
                self.placed.append(response.json()["order_id"])

    def stop(self) -> None:
        self._stop.set()


@pytest.fixture
def buyers(start_server: Callable[..., Server]) -> Iterator[tuple[Server, Buyers]]:
    """A server that sells all the time."""
    server = start_server()
    buyers = Buyers(server)
    with ThreadPoolExecutor(BUYERS) as pool:
        running = [pool.submit(buyers.run) for _ in range(BUYERS)]
        yield server, buyers
        buyers.stop()
        for done in running:
            done.result(30)


def test_a_backup_beside_a_shop_that_sells_has_every_order_acknowledged_before_it(
    buyers: tuple[Server, Buyers], tmp_path: Path
) -> None:
    server, clients = buyers
    for number in range(3):
        before = len(clients.placed) + 20
        while len(clients.placed) < before:
            clients._stop.wait(0.01)
        acknowledged = list(clients.placed)
        file = tmp_path / f"backup-{number}.db"
        done = server.flask("backup", file)
        assert done.returncode == 0, done.stdout + done.stderr
        assert len(clients.placed) > len(acknowledged), "the shop sold meanwhile"
        with opened_file(file) as database, database.reading() as session:
            assert [order for order in acknowledged if find_order(session, order) is None] == []


def test_a_shop_is_restored_once_it_has_stopped(buyers: tuple[Server, Buyers], tmp_path: Path) -> None:
    server, clients = buyers
    while not clients.placed:
        clients._stop.wait(0.01)
    early = clients.placed[0]
    file = tmp_path / "backup.db"
    assert server.flask("backup", file).returncode == 0
    clients.stop()
    late = server.post("/orders", API_KEY, order_for((1, 1))).json()["order_id"]
    refused = server.flask("restore", file)
    assert (refused.returncode, refused.stderr) == (
        2, "A loja está em execução: pare todos os seus processos antes de restaurar.\n",
    )  # fmt: skip
    assert server.get(f"/orders/{late}").status_code == 200
    assert server.end(signal.SIGTERM) == 0
    done = server.flask("restore", file)
    assert done.returncode == 0, done.stdout + done.stderr
    server.start()
    assert server.get(f"/orders/{early}").status_code == 200
    assert server.get(f"/orders/{late}").status_code == 404
    assert server.flask("audit").returncode == 0
