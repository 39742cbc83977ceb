"""A PostgreSQL server whose disk is full, or one of whose files is damaged, under a shop that sells."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

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
    killed,
    postmaster_of,
    small_disk,
    wait_for_health,
    watching,
)
from tests.support.orders import API_KEY, order_for
from tests.support.server import Server

LONG_NOTES = "n" * 1_000
"""Eight such orders fill a page, and the next needs room on the disk."""
BACK_WITHIN_S = 20.0


def order(server: Server, number: int) -> requests.Response:
    """Order under a key of its own; the same number is the same order."""
    body = order_for((0, 1), notes=LONG_NOTES)
    return server.post("/orders", headers={**API_KEY, "Idempotency-Key": f"long-{number}"}, json=body)


@contextmanager
def operating(database_url: str) -> Iterator[psycopg.Connection[Any]]:
    """Connect as the operator does."""
    with psycopg.connect(database_url.replace("+psycopg", ""), autocommit=True) as operator:
        yield operator


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount a small disk")
def test_a_server_whose_disk_is_full_is_told_by_name_until_there_is_room_and_loses_nothing(
    tmp_path: Path, postgresql_alone: str
) -> None:
    with ExitStack() as stack:
        disk = stack.enter_context(small_disk(tmp_path / "postgresql" / "disk", megabytes=32))
        shutil.chown(disk, "postgres")
        with operating(postgresql_alone) as operator:
            operator.execute(f"CREATE TABLESPACE small LOCATION '{disk}'".encode())
            operator.execute("CREATE DATABASE shop TABLESPACE small")
        url = postgresql_alone.removesuffix("/postgres") + "/shop"
        server = stack.enter_context(Server(tmp_path / "data", DATABASE_URL=url))
        fill(disk / "filler")
        with watching(server, health=None):
            responses = [order(server, number) for number in range(12)]
            sold = [response.json()["order_id"] for response in responses if response.status_code == 201]
            refused = [response for response in responses if response.status_code != 201]
            assert refused, "the pages that were there had room for a few"
            for response in refused:
                assert_unavailable(response, SENTENCES[Fault.DISK_FULL])
            assert wait_for_health(server, 503, within_s=AT_ONCE_S) == SENTENCES[Fault.DISK_FULL]
        (disk / "filler").unlink()
        again = [order(server, number) for number in range(12)]
        assert {response.status_code for response in again} == {201}
        assert {response.json()["order_id"] for response in again} >= set(sold)
        wait_for_health(server, 200, within_s=AT_ONCE_S)
        assert "Traceback" not in server.log.read_text()
        assert find_mismatches(tmp_path / "data", url) == []


def test_a_table_that_is_damaged_is_told_by_name_until_its_file_is_back_and_loses_nothing(
    tmp_path: Path, postgresql_alone: str
) -> None:
    folder = tmp_path / "postgresql"
    with Server(tmp_path / "data", DATABASE_URL=postgresql_alone) as server, ExitStack() as restarted:
        sold = order(server, 1).json()["order_id"]
        buyers = Buyers(server, 10)
        with operating(postgresql_alone) as operator:
            operator.execute("CHECKPOINT")
            [name] = operator.execute("SELECT pg_relation_filepath('pedido')").fetchone() or [""]
        file = folder / "cluster" / name
        intact = file.read_bytes()
        restart = restarted.enter_context(killed(postmaster_of(folder), folder))
        file.write_bytes(b"no table " * (len(intact) // 9 + 1))
        restart()
        wait_for_health(server, 200, within_s=BACK_WITHIN_S)  # nothing has touched it yet
        with watching(server, health=None):
            for response in buyers.buy():
                assert_unavailable(response, SENTENCES[Fault.CORRUPT])
            assert wait_for_health(server, 503, within_s=AT_ONCE_S) == SENTENCES[Fault.CORRUPT]
        restart = restarted.enter_context(killed(postmaster_of(folder), folder))
        file.write_bytes(intact)
        restart()
        buyers.buy_again()
        wait_for_health(server, 200, within_s=BACK_WITHIN_S)
        assert server.get(f"/orders/{sold}").status_code == 200
        assert "Traceback" not in server.log.read_text()
        assert find_mismatches(tmp_path / "data", postgresql_alone) == []
