"""Rows of the schedule of scrapes."""

from collections.abc import Collection
from datetime import datetime
from typing import Final

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from app.core.runs import ENDED, RunStatus
from app.core.schedule import MAX_ATTEMPTS, Cron, Schedule, ScheduleSettings
from app.storage.models import ScheduledRunRow, ScheduleRow
from app.storage.scraping import latest_scrape

REMEMBERED: Final = 1_000
"""Due times that are known to have begun, should the clock go back to before them."""


def load_schedule(session: Session, *, lock: bool = False) -> Schedule:
    """Return the schedule; with `lock`, nothing else changes it until the transaction ends."""
    row = session.get_one(ScheduleRow, 1, with_for_update=lock or None)
    cron = None if row.expression is None else Cron(row.expression, row.zone)
    return Schedule(
        settings=ScheduleSettings(cron=cron, jitter_s=row.jitter_s, active=row.active),
        by_operator=row.by_operator,
        seed=row.seed,
        planned_at=row.planned_at,
        due_at=row.due_at,
        starts_at=row.starts_at,
    )


def save_schedule(session: Session, schedule: Schedule) -> None:
    cron = schedule.settings.cron
    session.execute(
        update(ScheduleRow).values(
            expression=None if cron is None else cron.expression,
            zone="UTC" if cron is None else cron.zone,
            jitter_s=schedule.settings.jitter_s,
            active=schedule.settings.active,
            by_operator=schedule.by_operator,
            planned_at=schedule.planned_at,
            due_at=schedule.due_at,
            starts_at=schedule.starts_at,
        )
    )


def begun_after(session: Session, moment: datetime) -> Collection[datetime]:
    """Return the due times after `moment` whose runs have begun: any, where the clock went back."""
    return set(session.scalars(select(ScheduledRunRow.due_at).where(ScheduledRunRow.due_at > moment)))


def last_began_at(session: Session) -> datetime | None:
    """Return when the schedule last began a run."""
    newest = select(ScheduledRunRow.began_at).order_by(ScheduledRunRow.run_id.desc()).limit(1)
    return session.scalar(newest)


def add_scheduled_run(session: Session, due_at: datetime, run_id: int, now: datetime) -> None:
    """Record the run of a due time, and forget all but the newest REMEMBERED. Raises IntegrityError for a second."""
    session.add(ScheduledRunRow(due_at=due_at, run_id=run_id, began_at=now, attempts=1))
    session.flush()
    newest = select(ScheduledRunRow.run_id).order_by(ScheduledRunRow.run_id.desc()).limit(REMEMBERED)
    session.execute(delete(ScheduledRunRow).where(ScheduledRunRow.run_id.not_in(newest.subquery().select())))


def interrupted_due_at(session: Session) -> datetime | None:
    """Return the due time of the shop's newest scrape, if it was interrupted and may be begun once more."""
    newest = latest_scrape(session, *ENDED)
    if newest is None or newest.status is not RunStatus.INTERRUPTED:
        return None
    return session.scalar(
        select(ScheduledRunRow.due_at).where(
            ScheduledRunRow.run_id == newest.id, ScheduledRunRow.attempts < MAX_ATTEMPTS
        )
    )


def begin_again(session: Session, due_at: datetime, run_id: int, now: datetime) -> None:
    """Record another run of the same due time."""
    session.execute(
        update(ScheduledRunRow)
        .where(ScheduledRunRow.due_at == due_at)
        .values(run_id=run_id, began_at=now, attempts=ScheduledRunRow.attempts + 1)
    )
