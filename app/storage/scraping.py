"""Rows of the scraping runs: the lease, the staged pages and the history."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.orm import Session, defer

from app.core.runs import RunStatus
from app.core.scraping import Change, Difference, StoredBook
from app.storage.database import updated_one
from app.storage.models import LeaseRow, ScrapeRunRow, StagedPageRow
from scraper.book import ScrapedBook

LEASE_TTL = timedelta(seconds=30)
MAX_RUNS = 100
MAX_FAILED_PAGES = 200


def take_lease(session: Session, run_id: int, holder: str, now: datetime) -> bool:
    """Let `holder` scrape as `run_id`, unless somebody holds the lease: one conditional update decides."""
    return updated_one(
        session.execute(
            update(LeaseRow)
            .where(LeaseRow.id == 1, LeaseRow.holder.is_(None))
            .values(run_id=run_id, holder=holder, expires_at=now + LEASE_TTL)
        )
    )


def renew_lease(session: Session, run_id: int, holder: str, now: datetime) -> bool:
    """Keep the lease; False where it was lost to somebody else."""
    return updated_one(
        session.execute(
            update(LeaseRow)
            .where(LeaseRow.id == 1, LeaseRow.run_id == run_id, LeaseRow.holder == holder)
            .values(expires_at=now + LEASE_TTL)
        )
    )


def lock_lease(session: Session) -> None:
    """Let nobody take, renew or release the lease until the transaction ends."""
    session.get_one(LeaseRow, 1, with_for_update=True)


def current_lease(session: Session) -> LeaseRow | None:
    """The lease, where somebody holds it."""
    return session.scalar(select(LeaseRow).where(LeaseRow.holder.is_not(None)))


def close_run(
    session: Session,
    row: ScrapeRunRow,
    status: RunStatus,
    reason: str | None,
    now: datetime,
    *,
    keep_staged: bool,
) -> None:
    """End a run and let go of the lease; what it has staged is kept only for the next run to resume from."""
    row.status, row.reason, row.ended_at = status, reason, now
    if not keep_staged:
        session.execute(delete(StagedPageRow).where(StagedPageRow.run_id == row.id))
    session.execute(
        update(LeaseRow).where(LeaseRow.run_id == row.id).values(run_id=None, holder=None, expires_at=None)
    )


def runs_in_progress(session: Session) -> list[ScrapeRunRow]:
    return list(session.scalars(select(ScrapeRunRow).where(ScrapeRunRow.status == RunStatus.PROCESSING)))


def counting_began(session: Session, row: ScrapeRunRow) -> datetime:
    """When the first of the pages that a run has were read, which may be in a run that it resumes."""
    while row.resumed_from is not None:
        earlier = session.get(ScrapeRunRow, row.resumed_from)
        if earlier is None:
            break
        row = earlier
    return row.started_at


def last_ended_run(session: Session) -> ScrapeRunRow | None:
    return session.scalar(
        select(ScrapeRunRow)
        .options(defer(ScrapeRunRow.difference))
        .where(ScrapeRunRow.ended_at.is_not(None))
        .order_by(ScrapeRunRow.id.desc())
        .limit(1)
    )


def last_success(session: Session) -> datetime | None:
    """When the last run ended that was done."""
    return session.scalar(
        select(func.max(ScrapeRunRow.ended_at)).where(ScrapeRunRow.status == RunStatus.DONE)
    )


def latest_run(session: Session) -> ScrapeRunRow | None:
    return session.scalar(
        select(ScrapeRunRow).options(defer(ScrapeRunRow.difference)).order_by(ScrapeRunRow.id.desc()).limit(1)
    )


def list_runs(session: Session, offset: int, limit: int) -> tuple[list[ScrapeRunRow], int]:
    """The runs from the newest on, without their differences, and how many there are."""
    newest = (
        select(ScrapeRunRow)
        .options(defer(ScrapeRunRow.difference))
        .order_by(ScrapeRunRow.id.desc())
        .offset(offset)
        .limit(limit)
    )
    return list(session.scalars(newest)), session.scalar(select(func.count()).select_from(ScrapeRunRow)) or 0


def trim_history(session: Session, current_run: int) -> None:
    """Forget all but the newest MAX_RUNS runs, and all staged pages but those of the current one."""
    newest = select(ScrapeRunRow.id).order_by(ScrapeRunRow.id.desc()).limit(MAX_RUNS).subquery()
    session.execute(delete(ScrapeRunRow).where(ScrapeRunRow.id.not_in(select(newest.c.id))))
    session.execute(delete(StagedPageRow).where(StagedPageRow.run_id != current_run))


def stage_books(session: Session, run_id: int, books: Mapping[str, ScrapedBook]) -> None:
    """Keep what was read, by the URL that the shop's listing gave for it."""
    rows = [{"run_id": run_id, "url": url, "book": _book_as_json(book)} for url, book in books.items()]
    if rows:
        session.execute(insert(StagedPageRow), rows)


def hand_over_staged(session: Session, from_run: int, to_run: int) -> dict[str, ScrapedBook]:
    """Give the pages that `from_run` had staged to `to_run`; answers the books by their listed URLs."""
    session.execute(update(StagedPageRow).where(StagedPageRow.run_id == from_run).values(run_id=to_run))
    staged = session.execute(
        select(StagedPageRow.url, StagedPageRow.book).where(StagedPageRow.run_id == to_run)
    )
    return {url: _book_from_json(book) for url, book in staged}


def difference_as_json(difference: Difference) -> dict[str, Any]:
    """What a run changed, as `GET /api/v1/scraping/runs/<id>` shows it."""
    return {
        "adicionados": [_listed(book) for book in (*difference.added, *difference.returned)],
        "removidos": [_listed(book) for book in difference.removed],
        "reprecificados": [
            _named(change)
            | {
                "preco_com_taxa": _pair(change, lambda book: float(book.price_incl_tax)),
                "preco_sem_taxa": _pair(change, lambda book: float(book.price_excl_tax)),
            }
            for change in difference.repriced
        ],
        "reestocados": [
            _named(change) | {"disponibilidade": _pair(change, lambda book: book.stock)}
            for change in difference.restocked
        ],
        "editados": [_named(change) for change in difference.edited],
    }


def _listed(book: StoredBook) -> dict[str, Any]:
    return {
        "id": book.id,
        "titulo": book.shown.title,
        "preco_com_taxa": float(book.shown.price_incl_tax),
        "disponibilidade": book.shown.stock,
    }


def _named(change: Change) -> dict[str, Any]:
    return {"id": change.after.id, "titulo": change.after.shown.title}


def _pair(change: Change, value: Any) -> dict[str, Any]:
    return {"antes": value(change.before.shown), "depois": value(change.after.shown)}


def _book_as_json(book: ScrapedBook) -> dict[str, Any]:
    return asdict(book) | {
        "price_excl_tax": str(book.price_excl_tax),
        "price_incl_tax": str(book.price_incl_tax),
    }


def _book_from_json(values: dict[str, Any]) -> ScrapedBook:
    prices = {name: Decimal(values[name]) for name in ("price_excl_tax", "price_incl_tax")}
    return ScrapedBook(**(values | prices))
