"""Several threads' units of work in one durable transaction."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime

import pytest
from sqlalchemy import create_engine, event, exc, insert, select, text
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlalchemy.orm import Session

from app.storage import group_commit
from app.storage.database import Database, database_options
from app.storage.group_commit import WriterQueue
from app.storage.models import SimulatedPaymentRow
from tests.support.orders import wait_until

PATIENCE_S = 20
NOW = "2026-01-01 00:00:00.000000"
in_a_queue = pytest.mark.sqlite_only("its writers queue in their process; PostgreSQL's run side by side")
Work = Callable[[Session], str]
_INSERT = text("INSERT INTO pagamento_simulado VALUES (:reference, 'approved', :now)")


def storing(reference: str, then: Callable[[], object] = lambda: None) -> Work:
    """Return work that stores a row, calls `then`, and returns the reference."""

    def work(session: Session) -> str:
        session.connection().execute(_INSERT, {"reference": reference, "now": NOW})
        then()
        return reference

    return work


def raising(error: BaseException) -> Callable[[], object]:
    def fail() -> None:
        raise error

    return fail


def stored(database: Database) -> set[str]:
    with database.reading() as session:
        return set(session.scalars(select(SimulatedPaymentRow.reference)))


@pytest.fixture
def commits(database: Database) -> list[str]:
    """A list that grows with every commit."""
    commits: list[str] = []
    event.listen(database.engine, "commit", lambda _connection: commits.append("commit"))
    return commits


@pytest.fixture
def together(database: Database, monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[Future[str]]]:
    """Return a function that does units of work at the same time, and returns their outcomes.

    On SQLite they wait behind a writer, in their order.
    """
    monkeypatch.setattr(group_commit, "MAX_BATCH_S", PATIENCE_S)

    def run(*works: Work) -> list[Future[str]]:
        if database._writers is None:
            with ThreadPoolExecutor(len(works)) as pool:
                return [pool.submit(database.write, work) for work in works]
        with ThreadPoolExecutor(len(works)) as pool, queue_of(database).turn():
            futures = []
            for work in works:
                futures.append(pool.submit(database.write, work))
                wait_for_turns(database, 1 + len(futures))
        return futures

    return run


def queue_of(database: Database) -> WriterQueue:
    assert database._writers is not None
    return database._writers


def wait_for_turns(database: Database, turns: int) -> None:
    wait_until(lambda: len(queue_of(database)._queue) == turns)


@in_a_queue
def test_units_that_wait_are_committed_together(
    database: Database, together: Callable[..., list[Future[str]]], commits: list[str]
) -> None:
    futures = together(*(storing(reference) for reference in "abcdef"))
    assert [future.result() for future in futures] == list("abcdef")
    assert stored(database) == set("abcdef")
    assert len(commits) == 1


@pytest.mark.parametrize("failing", [0, 2])
@pytest.mark.parametrize("error", [KeyError("no"), SystemExit(3)])
def test_a_unit_that_raises_leaves_the_others_alone(
    database: Database, together: Callable[..., list[Future[str]]], failing: int, error: BaseException
) -> None:
    works = [storing(reference) for reference in "abcd"]
    works[failing] = storing("abcd"[failing], raising(error))
    futures = together(*works)
    assert futures.pop(failing).exception() is error
    assert stored(database) == {future.result() for future in futures} == set("abcd") - {"abcd"[failing]}


def test_a_statement_that_fails_leaves_the_others_alone(
    database: Database, together: Callable[..., list[Future[str]]]
) -> None:
    *twins, third = together(storing("a"), storing("a"), storing("b"))
    [error] = [twin.exception() for twin in twins if twin.exception()]
    assert isinstance(error, IntegrityError)
    assert third.result() == "b"
    assert stored(database) == {"a", "b"}


@in_a_queue
def test_no_thread_is_told_before_the_commit(
    database: Database, together: Callable[..., list[Future[str]]]
) -> None:
    told: list[bool] = []
    event.listen(
        database.engine, "commit", lambda _connection: told.extend(unit.wake.is_set() for unit in waiting)
    )
    waiting: list[group_commit._Turn] = []

    def look() -> None:
        waiting.extend(list(queue_of(database)._queue)[1:])

    for future in together(storing("a", look), storing("b"), storing("c")):
        future.result()
    assert told == [False, False]


@in_a_queue
def test_a_commit_that_fails_reaches_every_unit(
    database: Database, together: Callable[..., list[Future[str]]]
) -> None:
    error = OperationalError("COMMIT", {}, Exception("disk I/O error"))
    event.listen(database.engine, "commit", raising_once(error))
    futures = together(storing("a"), storing("b"), storing("c"))
    assert [future.exception() for future in futures] == [error] * 3
    assert stored(database) == set()
    assert database.write(storing("a")) == "a", "the next one writes again"


def raising_once(error: Exception) -> Callable[[object], None]:
    errors = [error]

    def fail(_connection: object) -> None:
        if errors:
            raise errors.pop()

    return fail


def test_a_transaction_that_can_not_begin_fails_one_unit_at_a_time() -> None:
    queue = WriterQueue(broken_begin, PATIENCE_S)
    for _ in range(2):
        with pytest.raises(OSError, match="no database"):
            queue.run(lambda _session: None)


@contextmanager
def broken_begin() -> Iterator[Session]:
    raise OSError("no database")
    yield Session()


@in_a_queue
def test_a_long_writer_has_its_own_transaction_and_waits_its_turn_only(
    database: Database, commits: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(group_commit, "MAX_BATCH_S", PATIENCE_S)
    order: list[str] = []
    with ThreadPoolExecutor(5) as pool:

        def write_long() -> None:
            with database.writing() as session:
                order.append("long")
                session.execute(
                    insert(SimulatedPaymentRow).values(reference="l", outcome="x", at=datetime.now(UTC))
                )

        with queue_of(database).turn():
            works = [
                lambda: database.write(storing("a", lambda: order.append("a"))),
                lambda: database.write(storing("b", lambda: order.append("b"))),
                write_long,
                lambda: database.write(storing("c", lambda: order.append("c"))),
            ]
            futures = []
            for work in works:
                futures.append(pool.submit(work))
                wait_for_turns(database, 1 + len(futures))
        for future in futures:
            future.result(PATIENCE_S)
    assert order == ["a", "b", "long", "c"]
    assert len(commits) == 3


@in_a_queue
def test_a_batch_that_is_full_leaves_the_rest_to_the_next(
    database: Database,
    together: Callable[..., list[Future[str]]],
    commits: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(group_commit, "MAX_UNITS", 2)
    together(*(storing(reference) for reference in "abcde"))
    assert stored(database) == set("abcde")
    assert len(commits) == 3


@in_a_queue
def test_a_batch_that_is_old_takes_no_more_units(
    together: Callable[..., list[Future[str]]], commits: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(group_commit, "MAX_BATCH_S", -1)
    together(storing("a"), storing("b"))
    assert len(commits) == 2


@in_a_queue
def test_a_unit_that_waits_too_long_is_never_done(database: Database) -> None:
    queue = queue_of(database)
    with ThreadPoolExecutor(1) as pool, queue_of(database).turn():
        queue._timeout_s = 0.01
        late = pool.submit(database.write, storing("late"))
        assert isinstance(late.exception(PATIENCE_S), exc.TimeoutError)
    queue._timeout_s = PATIENCE_S
    assert database.write(storing("next")) == "next"
    assert stored(database) == {"next"}


def test_another_process_may_write_at_the_same_time(database: Database) -> None:
    url = str(database.engine.url)
    other = Database(create_engine(url, **database_options(url, threads=8)))
    start = threading.Barrier(8)

    def write(number: int) -> None:
        start.wait(PATIENCE_S)
        for place in range(10):
            (database if number % 2 else other).write(storing(f"{number}.{place}"))

    with ThreadPoolExecutor(8) as pool:
        for future in [pool.submit(write, number) for number in range(8)]:
            future.result(PATIENCE_S)
    assert len(stored(database)) == 80
    other.engine.dispose()


def test_what_is_deferred_is_stored_with_the_next_unit(database: Database, commits: list[str]) -> None:
    database.execute_later(_INSERT, {"reference": "later", "now": NOW})
    assert stored(database) == set()
    database.write(storing("a"))
    assert stored(database) == {"a", "later"}
    assert len(commits) == 1


def test_what_is_deferred_is_stored_on_demand(database: Database, commits: list[str]) -> None:
    database.flush()
    assert commits == [], "there was nothing to store"
    database.execute_later(_INSERT, {"reference": "later", "now": NOW})
    database.flush()
    assert stored(database) == {"later"}


def test_what_is_deferred_outlives_a_failed_commit(database: Database) -> None:
    database.execute_later(_INSERT, {"reference": "later", "now": NOW})
    event.listen(
        database.engine, "commit", raising_once(OperationalError("COMMIT", {}, Exception("disk full")))
    )
    with pytest.raises(OperationalError):
        database.write(storing("a"))
    database.write(storing("b"))
    assert stored(database) == {"later", "b"}


def test_what_is_deferred_outlives_a_failed_statement(database: Database) -> None:
    database.execute_later(_INSERT, {"reference": "later", "now": NOW})
    full = raising_once(OperationalError("INSERT", {}, Exception("disk full")))

    def fail_at_the_deferred(
        _connection: object, _cursor: object, _sql: str, parameters: object, *_: object
    ) -> None:
        if "later" in str(parameters):
            full(None)

    event.listen(database.engine, "before_cursor_execute", fail_at_the_deferred)
    with pytest.raises(OperationalError):
        database.write(storing("a"))
    database.write(storing("b"))
    assert stored(database) == {"later", "b"}


def test_what_is_deferred_and_can_not_be_stored_fails_one_transaction_only(database: Database) -> None:
    database.write(storing("a"))
    database.execute_later(_INSERT, {"reference": "a", "now": NOW})
    with pytest.raises(IntegrityError):
        database.write(storing("b"))
    assert database.write(storing("b")) == "b"


def test_deferred_statements_are_bounded(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.storage.database.MAX_DEFERRED", 3)
    for reference in "abc":
        assert stored(database) == set()
        database.execute_later(_INSERT, {"reference": reference, "now": NOW})
    assert stored(database) == set("abc")
