"""Rows of scraping runs, their staged pages and their history."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import islice
from typing import Any, Final

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.orm import Session

from app.core.runs import RunStatus
from app.core.scraping import IMPORT_SOURCE, CrawlResult, Difference, ScrapeRun, ScrapeRunDetail
from app.storage.change_reports import decode_changes, decode_counts, encode_difference
from app.storage.models import ScrapeLockRow, ScrapeRunRow, StagedPageRow
from app.storage.runs import RunTable
from scraper.book import ScrapedBook

MAX_RUNS: Final = 100
MAX_FAILED_PAGES: Final = 200
MAX_STAGING: Final = timedelta(minutes=2)
"""The longest from the request for a page, which may take a minute, to its row."""
RUNS: Final = RunTable(ScrapeRunRow, ScrapeLockRow, ScrapeRun, change_counts=decode_counts)


def begin_run(
    session: Session,
    base_url: str,
    username: str,
    holder: str,
    now: datetime,
    resume_since: datetime,
    runs_kept: int = MAX_RUNS,
) -> tuple[ScrapeRun, dict[str, ScrapedBook]]:
    """Add a run in progress; return it with the books, by listed URL, of the run that it resumes.

    That is the latest run of the same shop, if it left pages that any run read after `resume_since`. Forgets all
    but the newest `runs_kept` runs and all other staged pages.
    """
    previous = RUNS.latest(session)
    run = RUNS.begin(session, username, holder, now, base_url=base_url)
    staged: dict[str, ScrapedBook] = {}
    if previous is not None and previous.base_url == base_url:
        staged = _hand_over_staged(session, previous.id, run.id, resume_since)
    if previous is not None and staged:
        run = replace(run, resumed_from=previous.id, pages_reused=len(staged))
        _update(session, run.id, resumed_from=run.resumed_from, pages_reused=run.pages_reused)
    newest = select(ScrapeRunRow.id).order_by(ScrapeRunRow.id.desc()).limit(runs_kept).subquery()
    session.execute(delete(ScrapeRunRow).where(ScrapeRunRow.id.not_in(select(newest.c.id))))
    session.execute(delete(StagedPageRow).where(StagedPageRow.run_id != run.id))
    return run, staged


def latest_scrape(session: Session, *statuses: RunStatus) -> ScrapeRun | None:
    """Return the newest run with one of `statuses` that was no import."""
    is_import = ScrapeRunRow.base_url.startswith(IMPORT_SOURCE)
    newest = select(ScrapeRunRow).where(~is_import, ScrapeRunRow.status.in_(statuses))
    row = session.scalars(newest.order_by(ScrapeRunRow.id.desc()).limit(1)).first()
    return None if row is None else RUNS.read(row)


def cancel_run(session: Session, username: str) -> ScrapeRun | None:
    """Mark the run in progress as to be cancelled; return None where there is none."""
    for run in RUNS.in_progress(session, lock=True):
        _update(session, run.id, cancelled_by=username)
        return replace(run, cancelled_by=username)
    return None


def is_cancelled(session: Session, run_id: int) -> bool:
    return session.scalar(select(ScrapeRunRow.cancelled_by).where(ScrapeRunRow.id == run_id)) is not None


def save_progress(session: Session, run_id: int, result: CrawlResult) -> None:
    _update(
        session,
        run_id,
        pages_total=result.pages_total,
        pages_done=result.pages_done,
        pages_failed=len(result.failed),
        books_read=len(result.read),
    )


def save_failures(session: Session, run_id: int, failed: Mapping[str, str]) -> None:
    """Store the reasons of up to MAX_FAILED_PAGES failed pages, by URL."""
    failures = [{"url": url, "motivo": reason} for url, reason in islice(failed.items(), MAX_FAILED_PAGES)]
    _update(session, run_id, failures=failures)


def save_publication(session: Session, run_id: int, version: int, difference: Difference) -> None:
    """Store what a run has published."""
    changes = encode_difference(difference)
    counts = {key: len(books) for key, books in changes.items()}
    _update(session, run_id, published_version=version, difference=changes, change_counts=counts)


def drop_staged(session: Session, run_id: int) -> None:
    session.execute(delete(StagedPageRow).where(StagedPageRow.run_id == run_id))


def stage_books(session: Session, run_id: int, books: Mapping[str, ScrapedBook], now: datetime) -> None:
    """Keep books that were just read and not yet published, by the URL in the shop's listing."""
    rows = [
        {"run_id": run_id, "url": url, "book": book.as_json(), "read_at": now} for url, book in books.items()
    ]
    if rows:
        session.execute(insert(StagedPageRow), rows)


def counting_started_at(session: Session, run: ScrapeRun) -> datetime:
    """Return a time before which none of the pages of `run` was read, those that it took over included."""
    first = session.scalar(select(func.min(StagedPageRow.read_at)).where(StagedPageRow.run_id == run.id))
    return run.started_at if first is None else min(run.started_at, first - MAX_STAGING)


def load_detail(session: Session, run_id: int) -> ScrapeRunDetail | None:
    run = RUNS.get(session, run_id)
    if run is None:
        return None
    row = session.get_one(ScrapeRunRow, run_id)
    failures = {page["url"]: page["motivo"] for page in row.failures or []}
    return ScrapeRunDetail(run, decode_changes(row.difference), failures)


def _update(session: Session, run_id: int, **values: Any) -> None:
    session.execute(update(ScrapeRunRow).where(ScrapeRunRow.id == run_id).values(**values))


def _hand_over_staged(
    session: Session, from_run: int, to_run: int, read_since: datetime
) -> dict[str, ScrapedBook]:
    """Give the pages of one run that were read after `read_since` to another; return the books by listed URLs."""
    recent = (StagedPageRow.run_id == from_run, StagedPageRow.read_at > read_since)
    staged = session.execute(select(StagedPageRow.url, StagedPageRow.book).where(*recent))
    try:
        books = {url: ScrapedBook.from_json(book) for url, book in staged}
    except (TypeError, KeyError, ArithmeticError):  # of another release: the shop is read anew
        return {}
    session.execute(update(StagedPageRow).where(*recent).values(run_id=to_run))
    return books
