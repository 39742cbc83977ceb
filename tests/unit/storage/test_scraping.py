from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError

from app.core.runs import RunStatus
from app.core.scraping import ChangeKind, Difference, ReportedBook, ScrapeRun, compare
from app.storage import scraping
from app.storage.database import Database
from app.storage.models import ScrapeLockRow, StagedPageRow
from app.storage.runs import LEASE_TTL
from app.storage.scraping import RUNS
from scraper.book import ScrapedBook
from tests.support.books import make_crawl, make_scraped, make_stored

SITE = "https://shop.invalid/"
NOW = datetime(2026, 1, 1, tzinfo=UTC)
LATER = NOW + timedelta(seconds=5)
BOOKS = {
    "one": make_scraped("ü", price="0.29", description="“d”"),
    "two": make_scraped("b", price="99999999.99"),
}


def begin(
    database: Database,
    holder: str = "me",
    site: str = SITE,
    resume_since: datetime = NOW - timedelta(hours=1),
) -> tuple[ScrapeRun, dict[str, ScrapedBook]]:
    with database.writing() as session:
        return scraping.begin_run(session, site, "admin", holder, NOW, resume_since)


def end(database: Database, run_id: int, status: RunStatus = RunStatus.DONE) -> None:
    with database.writing() as session:
        RUNS.close(session, run_id, status, None, NOW)


def stage(
    database: Database, run_id: int, books: dict[str, ScrapedBook] = BOOKS, read_at: datetime = NOW
) -> None:
    with database.writing() as session:
        scraping.stage_books(session, run_id, books, read_at)
        scraping.stage_books(session, run_id, {}, read_at)


def staged_pages(database: Database) -> int | None:
    with database.reading() as session:
        return session.scalar(select(func.count()).select_from(StagedPageRow))


def test_of_many_that_want_to_scrape_one_begins(database: Database) -> None:
    ready = threading.Barrier(6)

    def take(number: int) -> bool:
        ready.wait(10)
        with database.writing() as session:
            RUNS.lock(session)
            if RUNS.in_progress(session, lock=True):
                return False
            scraping.begin_run(session, SITE, "admin", f"holder {number}", NOW, NOW)
            return True

    with ThreadPoolExecutor(6) as pool:
        assert sorted(pool.map(take, range(6))) == [False] * 5 + [True]


def test_a_second_lock_is_refused_by_the_database(database: Database) -> None:
    with pytest.raises(IntegrityError), database.writing() as session:
        session.add(ScrapeLockRow(id=2))


def test_a_lease_is_renewed_by_its_holder_only_and_until_its_run_ends(database: Database) -> None:
    run, _ = begin(database)
    assert (run.holder, run.expires_at) == ("me", NOW + LEASE_TTL)
    with database.writing() as session:
        assert not RUNS.renew(session, run.id, "you", LATER)
        assert not RUNS.renew(session, run.id + 1, "me", LATER)
        assert RUNS.renew(session, run.id, "me", LATER)
    with database.reading() as session:
        [renewed] = RUNS.in_progress(session)
    assert renewed.expires_at == LATER + LEASE_TTL
    end(database, run.id)
    with database.writing() as session:
        assert not RUNS.renew(session, run.id, "me", LATER)


def test_a_run_ends_once(database: Database) -> None:
    first, _ = begin(database)
    second, _ = begin(database)
    end(database, first.id, RunStatus.INTERRUPTED)
    end(database, first.id, RunStatus.DONE)
    with database.reading() as session:
        ended = RUNS.get(session, first.id)
        assert [run.id for run in RUNS.in_progress(session)] == [second.id]
    assert ended is not None
    assert (ended.status, ended.ended_at) == (RunStatus.INTERRUPTED, NOW)


def test_a_run_keeps_its_staged_pages_until_they_are_dropped(database: Database) -> None:
    run, _ = begin(database)
    stage(database, run.id)
    end(database, run.id, RunStatus.ERROR)
    assert staged_pages(database) == 2
    with database.writing() as session:
        scraping.drop_staged(session, run.id)
    assert staged_pages(database) == 0


def test_the_next_run_takes_over_the_staged_pages_as_they_were_read(database: Database) -> None:
    first, nothing = begin(database)
    stage(database, first.id)
    end(database, first.id, RunStatus.INTERRUPTED)
    second, staged = begin(database)
    assert (nothing, staged) == ({}, BOOKS)
    assert (second.resumed_from, second.pages_reused) == (first.id, 2)
    with database.reading() as session:
        assert scraping.counting_started_at(session, second) == NOW - scraping.MAX_STAGING


def test_pages_are_taken_over_by_their_own_age_through_any_chain_of_runs(database: Database) -> None:
    first, _ = begin(database)
    stage(database, first.id, {"one": BOOKS["one"]}, NOW - timedelta(minutes=50))
    end(database, first.id, RunStatus.INTERRUPTED)
    second, staged = begin(database)
    assert staged.keys() == {"one"}
    stage(database, second.id, {"two": BOOKS["two"]}, NOW - timedelta(minutes=10))
    end(database, second.id, RunStatus.INTERRUPTED)
    third, staged = begin(database, resume_since=NOW - timedelta(minutes=30))
    assert staged == {"two": BOOKS["two"]}
    assert (third.resumed_from, third.pages_reused, staged_pages(database)) == (second.id, 1, 1)
    with database.reading() as session:
        counted = NOW - timedelta(minutes=10) - scraping.MAX_STAGING
        assert scraping.counting_started_at(session, third) == counted


@pytest.mark.parametrize("page", [{}, {"upc": "only"}, BOOKS["one"].as_json() | {"price_incl_tax": "much"}])
def test_a_page_that_this_release_cannot_read_stops_no_run_from_beginning(
    database: Database, page: dict[str, Any]
) -> None:
    first, _ = begin(database)
    stage(database, first.id)
    with database.writing() as session:
        session.add(StagedPageRow(run_id=first.id, url="three", book=page, read_at=NOW))
    end(database, first.id, RunStatus.INTERRUPTED)
    second, staged = begin(database)
    assert (staged, second.resumed_from, staged_pages(database)) == ({}, None, 0)
    stage(database, second.id)


def test_a_long_run_lends_its_young_pages(database: Database) -> None:
    first, _ = begin(database)
    stage(database, first.id, read_at=NOW + timedelta(hours=7))
    end(database, first.id, RunStatus.INTERRUPTED)
    assert begin(database, resume_since=NOW + timedelta(hours=6))[1] == BOOKS


def test_a_run_with_no_page_of_another_counts_from_its_own_start(database: Database) -> None:
    run, _ = begin(database)
    stage(database, run.id, read_at=NOW + timedelta(hours=1))
    with database.reading() as session:
        assert scraping.counting_started_at(session, run) == NOW


@pytest.mark.parametrize("why", ["another shop", "too old", "nothing staged"])
def test_a_run_that_cannot_be_resumed_leaves_no_pages(database: Database, why: str) -> None:
    first, _ = begin(database)
    if why != "nothing staged":
        stage(database, first.id)
    end(database, first.id, RunStatus.INTERRUPTED)
    second, staged = begin(
        database,
        site="https://other.invalid/" if why == "another shop" else SITE,
        resume_since=NOW if why == "too old" else NOW - timedelta(hours=1),
    )
    assert (second.resumed_from, second.pages_reused, staged) == (None, 0, {})
    assert staged_pages(database) == 0


def test_only_the_run_in_progress_is_cancelled(database: Database) -> None:
    run, _ = begin(database)
    with database.writing() as session:
        assert not scraping.is_cancelled(session, run.id)
        cancelled = scraping.cancel_run(session, "operadora")
        assert scraping.is_cancelled(session, run.id)
    assert cancelled is not None
    assert (cancelled.id, cancelled.cancelled_by) == (run.id, "operadora")
    end(database, run.id, RunStatus.CANCELLED)
    with database.writing() as session:
        assert scraping.cancel_run(session, "admin") is None
        remembered = RUNS.get(session, run.id)
    assert remembered is not None
    assert remembered.cancelled_by == "operadora"


def test_what_a_run_changed_comes_back_from_the_database(database: Database) -> None:
    stored = [make_stored(number, name) for number, name in enumerate("abcde")]
    stored.append(make_stored(9, "back", listed=False))
    pages = [
        make_scraped("a", price="11.00"),
        make_scraped("b", stock=1),
        make_scraped("c", title="Another"),
        make_scraped("d"),
        make_scraped("new", price="0.29"),
        make_scraped("back", price="7.00"),
    ]
    run, _ = begin(database)
    with database.writing() as session:
        scraping.save_publication(session, run.id, 3, compare(stored, make_crawl(*pages)))
        scraping.save_failures(session, run.id, {SITE: "HTTP 500"})
    with database.reading() as session:
        detail = scraping.load_detail(session, run.id)
    assert detail is not None
    assert (detail.run.published_version, detail.failures) == (3, {SITE: "HTTP 500"})
    assert detail.run.change_counts == {
        ChangeKind.ADDED: 2,
        ChangeKind.REMOVED: 1,
        ChangeKind.REPRICED: 1,
        ChangeKind.RESTOCKED: 1,
        ChangeKind.EDITED: 1,
    }
    assert detail.changes == {
        ChangeKind.ADDED: [
            ReportedBook(10, "Book new", price_incl_tax=(None, 0.29), stock=(None, 5)),
            ReportedBook(9, "Book back", price_incl_tax=(None, 7.0), stock=(None, 5)),
        ],
        ChangeKind.REMOVED: [ReportedBook(4, "Book e", price_incl_tax=(10.0, None), stock=(5, None))],
        ChangeKind.REPRICED: [
            ReportedBook(0, "Book a", price_incl_tax=(10.0, 11.0), price_excl_tax=(10.0, 11.0))
        ],
        ChangeKind.RESTOCKED: [ReportedBook(1, "Book b", stock=(5, 1))],
        ChangeKind.EDITED: [ReportedBook(2, "Another")],
    }


def test_a_run_without_a_publication_has_no_changes(database: Database) -> None:
    run, _ = begin(database)
    with database.reading() as session:
        detail = scraping.load_detail(session, run.id)
        assert scraping.load_detail(session, run.id + 1) is None
        assert scraping.load_detail(session, 2**31) is None
    assert detail is not None
    assert (detail.changes, detail.run.change_counts, detail.failures) == (None, None, {})


def test_no_more_failed_pages_are_stored_than_are_shown(database: Database) -> None:
    run, _ = begin(database)
    failed = {f"{SITE}{number}": "HTTP 500" for number in range(scraping.MAX_FAILED_PAGES + 1)}
    with database.writing() as session:
        scraping.save_failures(session, run.id, failed)
        detail = scraping.load_detail(session, run.id)
    assert detail is not None
    assert list(detail.failures) == list(failed)[:-1]


def test_only_the_newest_runs_are_remembered(database: Database) -> None:
    with database.writing() as session:
        ids = [
            scraping.begin_run(session, SITE, "admin", "me", NOW, NOW)[0].id
            for _ in range(scraping.MAX_RUNS + 3)
        ]
        runs, total = RUNS.page(session, 0, 2)
        newest = RUNS.latest(session)
    assert ([run.id for run in runs], total) == ([ids[-1], ids[-2]], scraping.MAX_RUNS)
    assert newest == runs[0]


def test_a_difference_without_changes_is_stored_as_such(database: Database) -> None:
    run, _ = begin(database)
    with database.writing() as session:
        scraping.save_publication(session, run.id, 1, Difference())
        detail = scraping.load_detail(session, run.id)
    assert detail is not None
    assert detail.changes == {kind: [] for kind in ChangeKind}
