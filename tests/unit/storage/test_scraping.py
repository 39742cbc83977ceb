from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select

from app.core.runs import RunStatus
from app.storage import scraping
from app.storage.database import Database
from app.storage.models import ScrapeRunRow, StagedPageRow
from tests.support.books import make_scraped

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def add_run(database: Database, status: RunStatus = RunStatus.PROCESSING) -> int:
    with database.writing() as session:
        row = ScrapeRunRow(
            status=status, base_url="https://shop.invalid/", started_by="admin", started_at=NOW
        )
        session.add(row)
        session.flush()
    return row.id


def test_of_many_that_want_the_lease_one_gets_it(database: Database) -> None:
    start = threading.Barrier(6)

    def take(number: int) -> bool:
        start.wait(10)
        with database.writing() as session:
            return scraping.take_lease(session, number, f"holder {number}", NOW)

    with ThreadPoolExecutor(6) as pool:
        assert sorted(pool.map(take, range(6))) == [False] * 5 + [True]


def test_a_lease_is_renewed_by_its_holder_only(database: Database) -> None:
    later = NOW + timedelta(seconds=5)
    with database.writing() as session:
        assert scraping.current_lease(session) is None
        assert scraping.take_lease(session, 1, "me", NOW)
        assert not scraping.renew_lease(session, 1, "you", later)
        assert not scraping.renew_lease(session, 2, "me", later)
        assert scraping.renew_lease(session, 1, "me", later)
    with database.reading() as session:
        lease = scraping.current_lease(session)
        assert lease is not None
        assert lease.expires_at == later + scraping.LEASE_TTL


@pytest.mark.parametrize("keep_staged", [True, False])
def test_a_run_that_ends_lets_go_and_keeps_its_pages_if_told_so(
    database: Database, keep_staged: bool
) -> None:
    run_id = add_run(database)
    with database.writing() as session:
        scraping.take_lease(session, run_id, "me", NOW)
        scraping.stage_books(session, run_id, {"a": make_scraped("a")})
        row = session.get_one(ScrapeRunRow, run_id)
        scraping.close_run(session, row, RunStatus.ERROR, "reason", NOW, keep_staged=keep_staged)
    with database.reading() as session:
        assert scraping.current_lease(session) is None
        assert scraping.runs_in_progress(session) == []
        assert session.scalar(select(func.count()).select_from(StagedPageRow)) == keep_staged


def test_ending_one_run_leaves_anothers_lease(database: Database) -> None:
    first, second = add_run(database), add_run(database)
    with database.writing() as session:
        scraping.take_lease(session, second, "me", NOW)
        row = session.get_one(ScrapeRunRow, first)
        scraping.close_run(session, row, RunStatus.ERROR, None, NOW, keep_staged=False)
        lease = scraping.current_lease(session)
        assert lease is not None
        assert lease.run_id == second


def test_staged_pages_are_handed_over_as_they_were_read(database: Database) -> None:
    first, second = add_run(database), add_run(database)
    books = {
        "one": make_scraped("ü", price="0.29", description="“d”"),
        "two": make_scraped("b", price="99999999.99"),
    }
    with database.writing() as session:
        scraping.stage_books(session, first, books)
        scraping.stage_books(session, first, {})
    with database.writing() as session:
        assert scraping.hand_over_staged(session, first, second) == books


def test_only_the_newest_runs_are_remembered(database: Database) -> None:
    ids = [add_run(database, RunStatus.DONE) for _ in range(scraping.MAX_RUNS + 3)]
    with database.writing() as session:
        scraping.stage_books(session, ids[-2], {"old": make_scraped("old")})
        scraping.trim_history(session, ids[-1])
        rows, total = scraping.list_runs(session, 0, 2)
        newest = scraping.latest_run(session)
        assert session.scalars(select(StagedPageRow)).all() == []
    assert ([row.id for row in rows], total) == ([ids[-1], ids[-2]], scraping.MAX_RUNS)
    assert newest is not None
    assert newest.id == ids[-1]
