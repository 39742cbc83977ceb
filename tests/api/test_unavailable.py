"""A database that can't serve: every request that needs it says so, by its name, and the next may work."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import event
from sqlalchemy.exc import TimeoutError as WaitedTooLong

from app.services import health
from app.shop import Shop
from app.storage.faults import SENTENCES, Fault
from tests.support.checks import problem_of
from tests.support.orders import place, place_order, query

Lines = Callable[[], list[dict[str, Any]]]


@contextmanager
def pragma(shop: Shop, statement: str) -> Iterator[None]:
    """Have every connection of this block begin with a pragma."""

    def execute(connection: sqlite3.Connection, _record: object) -> None:
        connection.execute(f"PRAGMA {statement}")

    event.listen(shop.database.engine, "connect", execute)
    shop.database.engine.dispose()
    yield
    event.remove(shop.database.engine, "connect", execute)
    shop.database.engine.dispose()


def assert_unavailable(response: Any, fault: Fault) -> None:
    assert problem_of(response, 503)["error_type"] == "service_unavailable"
    assert response.get_json()["detail"] == SENTENCES[fault]
    assert response.headers["Retry-After"] == "5"


@pytest.mark.sqlite_only("a pragma makes the database so")
def test_a_database_that_takes_no_writes_is_told_by_name_until_it_does(
    client: FlaskClient, shop: Shop, log_lines: Lines
) -> None:
    client.get("/api/v1/books")
    with pragma(shop, "query_only=ON"):
        assert_unavailable(place(client, (0, 1)), Fault.READ_ONLY)
        assert_unavailable(client.get("/health"), Fault.READ_ONLY)
        assert client.get("/api/v1/books/0").status_code == 200
    [line] = [line for line in log_lines() if line["message"] == "request_unavailable"]
    assert line["reason"].startswith("read_only: ")
    assert (line["method"], line["path"], "exception" in line) == ("POST", "/orders", False)
    place_order(client, (0, 1))
    assert client.get("/health").status_code == 200


def test_a_disk_without_room_makes_the_shop_unhealthy_before_a_write_fails(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as full:
        full.setattr(health, "MIN_FREE_BYTES", 2**60)
        assert_unavailable(client.get("/health"), Fault.DISK_FULL)
    assert client.get("/health").status_code == 200


@pytest.mark.sqlite_only("it is about a database file")
def test_a_file_that_is_overwritten_is_told_by_name(client: FlaskClient, shop: Shop) -> None:
    client.get("/api/v1/books")
    shop.database.engine.dispose()
    for name in ("livraria.db-wal", "livraria.db-shm"):
        (shop.settings.data_dir / name).unlink(missing_ok=True)
    (shop.settings.data_dir / "livraria.db").write_bytes(b"no database " * 10_000)
    assert_unavailable(client.get("/api/v1/scraping/status"), Fault.CORRUPT)
    assert_unavailable(place(client, (0, 1)), Fault.CORRUPT)
    assert_unavailable(client.get("/health"), Fault.CORRUPT)
    assert client.get("/api/v1/books/0").status_code == 200


@pytest.mark.sqlite_only("it is about a database file")
def test_the_past_is_unavailable_without_the_database_but_for_what_is_in_memory(
    client: FlaskClient, shop: Shop
) -> None:
    known = client.get("/api/v1/books?em=1").data
    file = shop.settings.data_dir / "livraria.db"
    away = file.rename(file.with_name("elsewhere.db"))
    for path in ("books/0?em=1", "stats/overview?em=1", "books/0/history", "changes", "changes?formato=csv"):
        assert_unavailable(client.get(f"/api/v1/{path}"), Fault.UNREACHABLE)
    assert client.get("/api/v1/books?em=1").data == known
    away.rename(file)
    assert client.get("/api/v1/books/0?em=1").status_code == 200


@pytest.mark.sqlite_only("it is about a database file")
@pytest.mark.parametrize("replaced", [False, True])
def test_a_file_that_was_moved_takes_nothing_and_comes_back_with_all_that_was_acknowledged(
    client: FlaskClient, shop: Shop, replaced: bool
) -> None:
    place_order(client, (0, 1))
    file = shop.settings.data_dir / "livraria.db"
    away = file.rename(file.with_name("elsewhere.db"))
    if replaced:
        file.touch()
    assert_unavailable(place(client, (0, 1)), Fault.UNREACHABLE)
    assert_unavailable(client.get("/health"), Fault.UNREACHABLE)
    assert client.get("/api/v1/books/0").status_code == 200
    assert not replaced or file.stat().st_size == 0
    away.rename(file)
    place_order(client, (0, 1))
    assert client.get("/health").status_code == 200
    assert len(query(shop, "SELECT id FROM pedido")) == 2


def test_too_many_requests_for_the_database_are_told_that_it_is_busy(
    client: FlaskClient, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    client.get("/api/v1/books")

    def refuse() -> None:
        raise WaitedTooLong("the database stands still")

    monkeypatch.setattr(shop.database.places, "_wait", refuse)
    monkeypatch.setattr(shop.database.places._free, "acquire", lambda **_arguments: False)
    assert_unavailable(place(client, (0, 1)), Fault.BUSY)
    assert client.get("/health").status_code == 200, "it needs no place"
    assert client.get("/api/v1/books/0").status_code == 200


def test_a_health_check_that_hangs_is_unhealthy_at_once(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    release = threading.Event()

    def hang(*_arguments: object) -> tuple[str, None]:
        release.wait(20)
        return "never", None

    with monkeypatch.context() as hanging:
        hanging.setattr(health, "_look", hang)
        for _ in range(3):
            assert_unavailable(client.get("/health"), Fault.UNREACHABLE)
        release.set()
    assert client.get("/health").status_code == 200


def test_the_document_says_that_any_route_may_be_unavailable(client: FlaskClient) -> None:
    document = client.get("/apispec_1.json").get_json()
    operations = [operation for methods in document["paths"].values() for operation in methods.values()]
    assert all("503" in operation["responses"] for operation in operations)
    assert "Retry-After" in document["components"]["responses"]["Erro503"]["headers"]
