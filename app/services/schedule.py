"""The schedule of scrapes: set, paused, and followed by every process of the shop."""

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from sqlalchemy.orm import Session

from app.core.accounts import BY_SCHEDULE
from app.core.errors import ScrapeAlreadyRunning
from app.core.runs import RunStatus
from app.core.schedule import LATE, Schedule, ScheduleSettings, plan
from app.observability.metrics import Metrics
from app.services.scraping import Scrapes
from app.storage.database import Database
from app.storage.schedule import (
    add_scheduled_run,
    begin_again,
    begun_after,
    interrupted_due_at,
    last_began_at,
    load_schedule,
    save_schedule,
)
from app.storage.scraping import RUNS

log = logging.getLogger(__name__)

CHECK_EVERY_S: Final = 5.0
WITHIN_S: Final = 5.0
"""Seconds that PostgreSQL may take for each answer to a look at the schedule."""


class NotDue(Exception):
    """Another process has begun the run, or the schedule was changed."""


@dataclass(frozen=True, slots=True)
class ScheduleStatus:
    schedule: Schedule
    last_began_at: datetime | None


class ScrapeSchedule:
    """Begins the runs that are due. The database decides, row and time: nothing is kept here."""

    def __init__(
        self, from_environment: ScheduleSettings, database: Database, scrapes: Scrapes, metrics: Metrics
    ) -> None:
        self._from_environment = from_environment
        self._database = database
        self._scrapes = scrapes
        self._metrics = metrics

    def status(self) -> ScheduleStatus:
        with self._database.reading() as session:
            return ScheduleStatus(load_schedule(session), last_began_at(session))

    def set(self, change: Callable[[ScheduleSettings], ScheduleSettings], username: str) -> None:
        """Change the settings of the whole shop; they win over the environment's until `clear`.

        What `change` raises leaves them as they are. Runs missed until now are not made up.
        """
        with self._database.writing() as session:
            schedule = load_schedule(session, lock=True)
            settings = change(schedule.settings)
            self._plan(session, replace(schedule, settings=settings, by_operator=True))
        log.warning("schedule_set", extra={"username": username})

    def clear(self, username: str) -> None:
        """Return to the environment's settings."""
        with self._database.writing() as session:
            schedule = load_schedule(session, lock=True)
            self._plan(session, replace(schedule, settings=self._from_environment, by_operator=False))
        log.warning("schedule_cleared", extra={"username": username})

    def adopt_environment(self) -> None:
        """Have the shop follow the environment of this start, unless an operator has set the schedule."""
        with self._database.writing() as session:
            schedule = load_schedule(session, lock=True)
            if not schedule.by_operator and schedule.settings != self._from_environment:
                self._plan(session, replace(schedule, settings=self._from_environment))

    def run_due(self) -> None:
        """Begin the run that is due, if any is, and no other process does."""
        with self._database.reading(WITHIN_S) as session:
            schedule, now = load_schedule(session), self._database.now(session)
            newest = RUNS.latest(session)
            interrupted_at = interrupted_due_at(session)
        if schedule.clock_went_back(now):
            self._replan()
        elif newest is not None and newest.status is RunStatus.PROCESSING:
            self._scrapes.latest()  # marks it as interrupted if its process has died: its due time gets another
        elif schedule.is_due(now) or (schedule.due_at is not None and interrupted_at is not None):
            self._begin()

    def _begin(self) -> None:
        claimed: list[tuple[Schedule, datetime]] = []

        def claim(session: Session, now: datetime) -> Callable[[int], None]:
            schedule = load_schedule(session, lock=True)
            if schedule.is_due(now):
                claimed.append((schedule, now))
                return lambda run_id: self._record(session, schedule, now, run_id)
            due_at = interrupted_due_at(session)
            if schedule.due_at is None or due_at is None:
                raise NotDue
            return lambda run_id: begin_again(session, due_at, run_id, now)

        try:
            run = self._scrapes.start(BY_SCHEDULE, claim)
        except (NotDue, ScrapeAlreadyRunning):
            return  # the run stays due until the one in progress has ended
        for schedule, now in claimed:
            self._count(run.id, schedule, now)

    def _record(self, session: Session, schedule: Schedule, now: datetime, run_id: int) -> None:
        if schedule.due_at is not None:
            add_scheduled_run(session, schedule.due_at, run_id, now)
        self._plan(session, schedule, now)

    def _count(self, run_id: int, schedule: Schedule, now: datetime) -> None:
        missed = schedule.missed(now)
        late = missed > 0 or (schedule.starts_at is not None and now - schedule.starts_at > LATE)
        self._metrics.count_scheduled_run(late=late, missed=missed)
        if late:
            log.warning("scheduled_run_made_up", extra={"run_id": run_id, "missed": missed})

    def _replan(self) -> None:
        """Choose the next run anew, after the clock went back: it may have been years ahead."""
        with self._database.writing() as session:
            schedule = load_schedule(session, lock=True)
            went_back = schedule.clock_went_back(self._database.now(session))
            if went_back:
                self._plan(session, schedule)
        if went_back:
            log.warning("schedule_clock_went_back")

    def _plan(self, session: Session, schedule: Schedule, now: datetime | None = None) -> None:
        now = now or self._database.now(session)
        save_schedule(session, plan(schedule, now, begun_after(session, now)))
