"""A database that is locked, frozen, gone, full or broken under a real server: what clients see, and nothing lost."""

from __future__ import annotations

import os
import shutil
import sqlite3
import threading
import time
from contextlib import closing
from pathlib import Path

import psycopg
import pytest
import requests

from app.storage.faults import SENTENCES, Fault
from tests.support.database_faults import (
    AT_ONCE_S,
    Buyers,
    assert_unavailable,
    fill,
    find_mismatches,
    frozen,
    killed,
    postmaster_of,
    small_disk,
    statuses,
    wait_for_health,
    watching,
)
from tests.support.orders import API_KEY, order_for
from tests.support.server import Server, free_port

LOCK_LIMIT_S, FROZEN_LIMIT_S = 13, 16
"""How long an order may wait: for a lock that another holds, and for a server that does not answer."""
END_OTHERS = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname <> ''"
)


@pytest.fixture
def started(tmp_path: Path, ready_data: Path) -> Path:
    """The data directory of a shop that was served before."""
    shutil.copytree(ready_data, tmp_path / "data")
    return tmp_path / "data"


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
        with frozen(postmaster_of(tmp_path / "postgresql")) as thaw, watching(server, health=None):
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


def test_a_sqlite_file_that_another_program_locks_stops_the_writers_and_nothing_else(started: Path) -> None:
    with Server(started) as server:
        buyers = Buyers(server, 40)
        with closing(sqlite3.connect(started / "livraria.db", isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            with watching(server):
                responses = buyers.buy()
            assert statuses(responses) == {503: 40}
            assert buyers.longest_s < 2 * LOCK_LIMIT_S
            for response in responses:
                assert_unavailable(response, SENTENCES[Fault.BUSY])
            other.execute("ROLLBACK")
        buyers.buy_again()
    assert find_mismatches(started) == []


def test_a_server_that_is_killed_and_comes_back_is_told_by_name_and_loses_nothing(
    tmp_path: Path, postgresql_alone: str
) -> None:
    with Server(tmp_path / "data", DATABASE_URL=postgresql_alone) as server:
        sold = server.post("/orders", headers=API_KEY, json=order_for((5, 1))).json()["order_id"]
        buyers = Buyers(server, 20)
        with killed(postmaster_of(tmp_path / "postgresql"), tmp_path / "postgresql") as restart:
            with watching(server, health=503):
                responses = buyers.buy()
            assert statuses(responses) == {503: 20}
            assert buyers.longest_s < LOCK_LIMIT_S
            for response in responses:
                assert_unavailable(response, SENTENCES[Fault.UNREACHABLE])
            assert wait_for_health(server, 503, within_s=1) == SENTENCES[Fault.UNREACHABLE]
            restart()
            wait_for_health(server, 200, within_s=20)
            buyers.buy_again()
            assert server.get(f"/orders/{sold}").status_code == 200
            assert find_mismatches(tmp_path / "data", postgresql_alone) == []
        assert "Traceback" not in server.log.read_text()


def test_a_server_that_takes_no_writes_is_told_by_name_until_it_does(
    tmp_path: Path, postgresql_alone: str
) -> None:
    with Server(tmp_path / "data", DATABASE_URL=postgresql_alone) as server:
        buyers = Buyers(server, 5)
        with psycopg.connect(postgresql_alone.replace("+psycopg", ""), autocommit=True) as operator:
            operator.execute("ALTER DATABASE postgres SET default_transaction_read_only = on")
            operator.execute(END_OTHERS)
            for response in buyers.buy():
                assert_unavailable(response, SENTENCES[Fault.READ_ONLY])
            assert wait_for_health(server, 503, within_s=1) == SENTENCES[Fault.READ_ONLY]
            assert server.get("/api/v1/books/1").status_code == 200
            operator.execute("SET default_transaction_read_only = off")
            operator.execute("ALTER DATABASE postgres RESET default_transaction_read_only")
            operator.execute(END_OTHERS)
        buyers.buy_again()
        wait_for_health(server, 200, within_s=5)
    assert find_mismatches(tmp_path / "data", postgresql_alone) == []


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount a small disk")
def test_a_full_disk_is_told_by_name_until_there_is_room_and_loses_nothing(
    tmp_path: Path, started: Path
) -> None:
    with small_disk(tmp_path / "disk") as disk:
        shutil.copytree(started, disk / "data")
        with Server(disk / "data") as server:
            sold = server.post("/orders", headers=API_KEY, json=order_for((5, 1))).json()["order_id"]
            buyers = Buyers(server, 20)
            fill(disk / "filler")
            assert wait_for_health(server, 503, within_s=5) == SENTENCES[Fault.DISK_FULL]
            with watching(server, health=503):
                responses = [response for _ in range(5) for response in buyers.buy()]
            refused = [response for response in responses if response.status_code != 201]
            assert refused, "what SQLite had room for in its log was sold"
            for response in refused:
                assert_unavailable(response, SENTENCES[Fault.DISK_FULL])
            (disk / "filler").unlink()
            buyers.buy_again()
            wait_for_health(server, 200, within_s=5)
            assert server.get(f"/orders/{sold}").status_code == 200
        assert find_mismatches(disk / "data") == []


def ends_at_its_start(server: Server, within_s: float = 40) -> str:
    """Start a server that can't; return the one critical line that says why."""
    server.launch()
    assert server.process is not None
    assert server.process.wait(within_s) == 1
    log = server.log.read_text()
    assert "Traceback" not in log
    [line] = [line for line in log.splitlines() if "CRITICAL" in line]
    return line


def test_a_database_of_a_newer_release_ends_the_start_with_a_sentence(started: Path) -> None:
    with closing(sqlite3.connect(started / "livraria.db")) as database, database:
        database.execute("UPDATE alembic_version SET version_num = '9999'")
    assert SENTENCES[Fault.OTHER_RELEASE] in ends_at_its_start(Server(started))


def test_a_file_that_is_no_database_ends_the_start_with_a_sentence(started: Path) -> None:
    (started / "livraria.db").write_bytes(b"no database " * 1_000)
    assert SENTENCES[Fault.CORRUPT] in ends_at_its_start(Server(started))


def test_a_database_that_is_locked_ends_the_start_with_a_sentence(started: Path) -> None:
    with closing(sqlite3.connect(started / "livraria.db", isolation_level=None)) as database:
        database.execute("BEGIN IMMEDIATE")
        assert SENTENCES[Fault.BUSY] in ends_at_its_start(Server(started))


def test_an_absent_server_ends_the_start_with_a_sentence(tmp_path: Path) -> None:
    url = f"postgresql+psycopg://shop:s3cret@127.0.0.1:{free_port()}/shop"
    line = ends_at_its_start(Server(tmp_path / "data", DATABASE_URL=url))
    assert SENTENCES[Fault.UNREACHABLE] in line
    assert "s3cret" not in line


@pytest.mark.parametrize("wrong", ["password", "database"])
def test_a_server_that_lets_nobody_in_ends_the_start_with_a_sentence(
    tmp_path: Path, postgresql: str, wrong: str
) -> None:
    """The tests' own server trusts everybody, and so refuses an unknown user rather than a password."""
    url = (
        f"{postgresql}/nowhere"
        if wrong == "database"
        else postgresql.replace("postgres@", "stranger:x@") + "/postgres"
    )
    assert SENTENCES[Fault.REFUSED] in ends_at_its_start(Server(tmp_path / "data", DATABASE_URL=url))
