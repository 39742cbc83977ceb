"""A database that is locked, frozen, gone, full or broken under a real server: what clients see, and nothing lost."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
import requests

from app.storage.faults import SENTENCES, Fault
from tests.support.database_faults import (
    AT_ONCE_S,
    Buyers,
    assert_unavailable,
    find_mismatches,
    frozen,
    statuses,
    wait_for_health,
    watching,
)
from tests.support.orders import API_KEY, order_for
from tests.support.postgresql import run_postgresql
from tests.support.server import Server

LOCK_LIMIT_S, FROZEN_LIMIT_S = 13, 16
"""How long an order may wait: for a lock that another holds, and for a server that does not answer."""


@pytest.fixture
def postgresql_alone(tmp_path: Path) -> Iterator[str]:
    """A PostgreSQL server that a test may break."""
    folder = tmp_path / "postgresql"
    folder.mkdir()
    with run_postgresql(folder) as url:
        yield f"{url}/postgres"


def postmaster_of(tmp_path: Path) -> int:
    return int((tmp_path / "postgresql" / "cluster" / "postmaster.pid").read_text().split()[0])


def test_a_forgotten_transaction_stops_the_orders_of_its_book_and_nothing_else(
    tmp_path: Path, postgresql_alone: str
) -> None:
    with Server(tmp_path / "data", DATABASE_URL=postgresql_alone) as server:
        buyers = Buyers(server, 40)
        with psycopg.connect(postgresql_alone.replace("+psycopg", "")) as forgotten:
            forgotten.execute("UPDATE livros SET titulo = titulo WHERE id = 5")
            with watching(server):
                responses = buyers.buy()
            assert statuses(responses) == {503: 40}
            assert buyers.longest_s < LOCK_LIMIT_S
            for response in responses:
                assert_unavailable(response, SENTENCES[Fault.BUSY])
            forgotten.rollback()
        buyers.buy_again()
        assert "Traceback" not in server.log.read_text()
    assert find_mismatches(tmp_path / "data", postgresql_alone) == []


def test_a_frozen_server_stops_what_needs_it_and_nothing_else(tmp_path: Path, postgresql_alone: str) -> None:
    with Server(tmp_path / "data", DATABASE_URL=postgresql_alone) as server:
        sold = server.post("/orders", headers=API_KEY, json=order_for((5, 1))).json()["order_id"]
        buyers = Buyers(server, 40)
        with frozen(postmaster_of(tmp_path)) as thaw, watching(server, health=None):
            orders = threading.Thread(target=buyers.buy)
            orders.start()
            began = time.monotonic()
            assert wait_for_health(server, 503, within_s=3 * AT_ONCE_S) == SENTENCES[Fault.UNREACHABLE]
            assert_unavailable_within(f"{server.url}/orders/{sold}", FROZEN_LIMIT_S)
            orders.join(60)
            assert time.monotonic() - began < 3 * FROZEN_LIMIT_S
            assert buyers.longest_s < FROZEN_LIMIT_S
            thaw()
            wait_for_health(server, 200, within_s=15)
        buyers.buy_again()
        assert server.get(f"/orders/{sold}").status_code == 200
    assert find_mismatches(tmp_path / "data", postgresql_alone) == []


def assert_unavailable_within(url: str, limit_s: float) -> None:
    began = time.monotonic()
    response = requests.get(url, timeout=60)
    assert time.monotonic() - began < limit_s
    assert response.status_code == 503, response.text
