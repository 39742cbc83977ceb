from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from sqlalchemy import inspect, select, text
from sqlalchemy.exc import IntegrityError, OperationalError

from app.storage.database import Database
from app.storage.models import BookRow, LoginRow, UserRow

THREADS, ROUNDS = 6, 15


def make_row(**changes: object) -> BookRow:
    values = {
        "id": 0,
        "title": "t",
        "price_excl_tax": Decimal("1.00"),
        "price_incl_tax": Decimal("1.00"),
        "stock": 0,
        "category": "c",
        "rating": 3,
        "image_url": "i",
        "description": "",
        "upc": "u",
        "source_url": "s",
        "listed": True,
    }
    return BookRow(**(values | changes))


def stock_of(database: Database) -> int | None:
    with database.reading() as session:
        return session.scalar(select(BookRow.stock))


def test_threads_that_lock_what_they_read_lose_no_update(database: Database) -> None:
    with database.writing() as session:
        session.add(make_row())
    start = threading.Barrier(THREADS)

    def restock() -> None:
        start.wait(10)
        for _ in range(ROUNDS):
            with database.writing() as session:
                session.get_one(BookRow, 0, with_for_update=True).stock += 1

    with ThreadPoolExecutor(THREADS) as pool:
        for done in [pool.submit(restock) for _ in range(THREADS)]:
            done.result(30)
    assert stock_of(database) == THREADS * ROUNDS


def test_a_block_that_raises_leaves_nothing_behind(database: Database) -> None:
    with pytest.raises(KeyError), database.writing() as session:
        session.add(make_row())
        session.flush()
        raise KeyError
    assert stock_of(database) is None


def test_a_block_that_returns_is_committed(database: Database) -> None:
    with database.writing() as session:
        session.add(make_row(stock=4))
    assert stock_of(database) == 4


def test_what_a_reading_block_writes_is_thrown_away(database: Database) -> None:
    with database.reading() as session:
        session.add(make_row())
        session.flush()
    assert stock_of(database) is None


def test_a_reader_sees_one_state_from_its_first_query_to_its_last(database: Database) -> None:
    with database.writing() as session:
        session.add(make_row(stock=1))
    with database.reading() as reader:
        before = reader.scalar(select(BookRow.stock))
        with database.writing() as writer:
            writer.get_one(BookRow, 0).stock = 2
        assert before == reader.scalar(select(BookRow.stock)) == 1
    assert stock_of(database) == 2


def test_a_writer_waits_for_the_one_that_locked_first(database: Database) -> None:
    entered, second_done = threading.Event(), threading.Event()

    def write_second() -> None:
        entered.set()
        with database.writing() as session:
            session.get_one(BookRow, 0, with_for_update=True).stock *= 2
        second_done.set()

    with database.writing() as session:
        session.add(make_row(stock=0))
    with ThreadPoolExecutor(1) as pool:
        with database.writing() as session:
            row = session.get_one(BookRow, 0, with_for_update=True)
            second = pool.submit(write_second)
            assert entered.wait(10)
            assert not second_done.is_set()
            row.stock = 3
        second.result(10)
    assert stock_of(database) == 6


def test_migrations_share_the_writers_transaction(database: Database) -> None:
    with pytest.raises(KeyError), database.writing_connection() as connection:
        connection.execute(text("CREATE TABLE half_done (id INTEGER)"))
        raise KeyError
    assert not inspect(database.engine).has_table("half_done")


@pytest.mark.parametrize(
    "changes",
    [
        {"stock": -1},
        {"rating": 0},
        {"rating": 6},
        {"price_incl_tax": Decimal("-0.01")},
        {"price_excl_tax": Decimal("-0.01")},
        {"title": None},
        {"id": 1},
    ],
)
def test_the_database_itself_refuses_impossible_books(database: Database, changes: dict[str, object]) -> None:
    with database.writing() as session:
        session.add(make_row())
    with pytest.raises(IntegrityError), database.writing() as session:
        session.add(
            make_row(**({"id": 2, "upc": "u2"} | ({"upc": "u"} if "id" in changes else {}) | changes))
        )


def test_a_users_logins_end_with_the_user(database: Database) -> None:
    now = datetime.now(UTC)
    with database.writing() as session:
        user = UserRow(username="u", password_hash="h", role="operador", created_at=now)
        session.add(user)
        session.flush()
        session.add(LoginRow(id="l", user_id=user.id, refresh_jti="j", started_at=now, expires_at=now))
        session.flush()
        session.execute(text("DELETE FROM usuario"))
        assert session.scalars(select(LoginRow)).all() == []


@pytest.mark.sqlite_only("its safety is a setting of each connection, PostgreSQL's is the server's")
@pytest.mark.parametrize(
    ("pragma", "value"),
    [("journal_mode", "wal"), ("foreign_keys", 1), ("synchronous", 2), ("journal_size_limit", 64_000_000)],
)
def test_every_connection_is_prepared(database: Database, pragma: str, value: object) -> None:
    with database.reading() as session:
        assert session.execute(text(f"PRAGMA {pragma}")).scalar() == value


@pytest.mark.postgresql_only("SQLite answers in the process that asks")
def test_a_statement_that_is_too_slow_for_a_caller_in_haste_keeps_no_other_from_connecting(
    database: Database,
) -> None:
    with pytest.raises(OperationalError), database.reading(within_s=0.2) as session:
        session.execute(text("SELECT pg_sleep(1)"))
    database.engine.dispose()
    with database.reading() as session:
        assert session.scalar(text("SELECT 1")) == 1


@pytest.mark.sqlite_only("PostgreSQL has no file that a connection could make")
def test_a_new_connection_makes_no_empty_file_where_the_database_was(database: Database) -> None:
    file = Path(str(database.engine.url.database))
    with database.reading():
        pass
    database.engine.dispose()
    away = file.rename(file.with_name("elsewhere.db"))
    with pytest.raises(OperationalError):
        database.engine.connect()
    assert not file.exists()
    away.rename(file)
    with database.reading():
        pass
