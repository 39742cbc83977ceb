"""SQLite's file damaged or moved away, and the log's disk full, under a server that sells."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from app.storage.faults import SENTENCES, Fault
from tests.support.database_faults import (
    AT_ONCE_S,
    Buyers,
    assert_unavailable,
    fill,
    find_mismatches,
    small_disk,
    statuses,
    wait_for_health,
    watching,
)
from tests.support.exposition import read_samples, value
from tests.support.orders import API_KEY, order_for, wait_until
from tests.support.server import Server


def buy(server: Server, book: int) -> str:
    response = server.post("/orders", headers=API_KEY, json=order_for((book, 1)))
    assert response.status_code == 201, response.text
    order_id: str = response.json()["order_id"]
    return order_id


def damage(file: Path) -> None:
    """Write over all of a database that others have open, as a failing disk does."""
    with closing(sqlite3.connect(file)) as database:
        database.execute(
            "PRAGMA wal_checkpoint(TRUNCATE)"
        )  # so that all is in the one file, and nothing cached
    with file.open("r+b", buffering=0) as database_file:
        database_file.write(b"no database " * (file.stat().st_size // 12))
        os.fsync(database_file.fileno())


def test_a_file_that_is_damaged_is_told_by_name_and_a_backup_brings_back_what_it_has(
    start_server: Callable[..., Server], tmp_path: Path
) -> None:
    server = start_server(WEB_WORKERS="2")
    # A worker that still starts would take a missing file for a new shop's.
    wait_until(lambda: server.log.read_text(encoding="utf-8").count('"message":"ready"') == 2)
    sold = buy(server, 5)
    buyers = Buyers(server, 10, book=0)
    assert server.flask("backup", tmp_path / "backup.db").returncode == 0
    damage(server.data_dir / "livraria.db")
    with watching(server, health=None):
        for response in buyers.buy():
            assert_unavailable(response, SENTENCES[Fault.CORRUPT])
        assert wait_for_health(server, 503, within_s=AT_ONCE_S) == SENTENCES[Fault.CORRUPT]
    assert buyers.longest_s < AT_ONCE_S
    assert server.end(signal.SIGTERM) == 0
    assert "Traceback" not in server.log.read_text()
    restored = server.flask("restore", tmp_path / "backup.db")
    assert restored.returncode == 0, restored.stdout + restored.stderr
    server.start()
    assert server.get(f"/orders/{sold}").status_code == 200
    buyers.buy_again()
    assert find_mismatches(server.data_dir) == []


def test_a_file_that_is_moved_away_is_told_by_name_until_it_is_back_and_loses_nothing(
    start_server: Callable[..., Server],
) -> None:
    server = start_server(WEB_WORKERS="2")
    # A worker that still starts would take a missing file for a new shop's.
    wait_until(lambda: server.log.read_text(encoding="utf-8").count('"message":"ready"') == 2)
    sold = buy(server, 5)
    buyers = Buyers(server, 10, book=0)
    file = server.data_dir / "livraria.db"
    away = file.rename(file.with_name("elsewhere.db"))
    with watching(server, health=503):
        for response in buyers.buy():
            assert_unavailable(response, SENTENCES[Fault.UNREACHABLE])
        assert wait_for_health(server, 503, within_s=AT_ONCE_S) == SENTENCES[Fault.UNREACHABLE]
    assert buyers.longest_s < AT_ONCE_S
    assert not file.exists(), "an empty database in its place would be taken for the shop's"
    away.rename(file)
    wait_for_health(server, 200, within_s=AT_ONCE_S)
    buyers.buy_again()
    assert server.get(f"/orders/{sold}").status_code == 200
    assert "Traceback" not in server.log.read_text()
    assert find_mismatches(server.data_dir) == []


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount a small disk")
def test_a_full_log_disk_stops_nothing_and_the_lines_that_are_lost_are_counted(
    start_server: Callable[..., Server],
) -> None:
    server = start_server()
    log_file = server.data_dir / "logs" / "app.jsonl"
    server.end(signal.SIGTERM)
    for old in log_file.parent.iterdir():
        old.unlink()
    log_file.parent.rmdir()
    with small_disk(log_file.parent, megabytes=1) as disk:
        server.start()
        buyers = Buyers(server, 10, book=0)
        fill(disk / "filler")
        with watching(server, health=200):
            assert statuses(buyers.buy()) == {201: 10}
            assert server.get("/api/v1/logs?limit=5").status_code == 200
        assert lines_lost(server) > 10
        assert "log_lines_lost" in server.log.read_text(), "the console has the warning, and every line"
        (disk / "filler").unlink()
        lost = lines_lost(server)
        seen = server.get("/api/v1/categories").headers["X-Request-ID"]
        newest = json.loads(log_file.read_bytes().splitlines()[-1])
        assert newest["request_id"] == seen
        assert lines_lost(server) == lost
        assert server.end(signal.SIGTERM) == 0
    assert find_mismatches(server.data_dir) == []


def lines_lost(server: Server) -> float:
    return value(read_samples(server.get("/metrics").text), "livraria_log_lines_lost_total")
