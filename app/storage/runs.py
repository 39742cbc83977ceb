"""Rows of runs and their leases, the same for scrapes and trainings."""

from collections.abc import Callable
from dataclasses import fields
from datetime import datetime, timedelta
from typing import Any, Final, Generic, TypeVar

from sqlalchemy import Select, func, select, update
from sqlalchemy.orm import Session

from app.core.runs import Run, RunStatus
from app.storage.columns import MAX_ID, Base
from app.storage.database import updated_one
from app.storage.models import ActiveModelRow, ScrapeLockRow, ScrapeRunRow, TrainingRow

R = TypeVar("R", bound=Run)

LEASE_TTL: Final = timedelta(seconds=30)
"""The time after which a run whose holder no longer renews its lease is orphaned."""


class RunTable(Generic[R]):
    """The runs of one kind. Every write of a status is conditional on the run's being in progress."""

    def __init__(
        self,
        table: type[ScrapeRunRow] | type[TrainingRow],
        lock: type[ScrapeLockRow] | type[ActiveModelRow],
        run: type[R],
        **decoders: Callable[[Any], Any],
    ) -> None:
        """`lock` is a table of one row, locked so that runs begin one at a time; `decoders` are of fields of `run`."""
        self._table = table
        self._lock = lock
        self._run = run
        self._decoders = {"status": RunStatus, **decoders}

    def read(self, row: Base) -> R:
        """Return the run that a row describes."""
        values = {field.name: getattr(row, field.name) for field in fields(self._run)}
        decoded = {name: decode(values[name]) for name, decode in self._decoders.items()}
        return self._run(**values | decoded)

    def lock(self, session: Session) -> None:
        """Keep other transactions from beginning or reaping a run until this one ends."""
        session.get_one(self._lock, 1, with_for_update=True)

    def begin(self, session: Session, username: str, holder: str, now: datetime, **values: Any) -> R:
        """Add a run in progress, with the `values` of its kind."""
        row = self._table(
            status=RunStatus.PROCESSING,
            started_by=username,
            started_at=now,
            holder=holder,
            expires_at=now + LEASE_TTL,
            **values,
        )
        session.add(row)
        session.flush()
        return self.read(row)

    def in_progress(self, session: Session, *, lock: bool = False) -> list[R]:
        """Return the runs in progress; with `lock`, none of them changes until the transaction ends."""
        query = select(self._table).where(self._table.status == RunStatus.PROCESSING)
        return [self.read(row) for row in session.scalars(query.with_for_update() if lock else query)]

    def latest(self, session: Session, *statuses: RunStatus) -> R | None:
        """Return the newest run, of those with one of `statuses` where any are given."""
        row = session.scalars(self._newest(statuses).limit(1)).first()
        return None if row is None else self.read(row)

    def get(self, session: Session, run_id: int) -> R | None:
        row = session.get(self._table, run_id) if run_id <= MAX_ID else None
        return None if row is None else self.read(row)

    def page(self, session: Session, offset: int, limit: int, *statuses: RunStatus) -> tuple[list[R], int]:
        """Return runs from the newest on, and how many there are; of `statuses` where any are given."""
        newest = self._newest(statuses)
        total = session.scalar(select(func.count()).select_from(newest.subquery()))
        return [self.read(row) for row in session.scalars(newest.offset(offset).limit(limit))], total or 0

    def renew(self, session: Session, run_id: int, holder: str, now: datetime) -> bool:
        """Extend the lease; return False where the run has ended or belongs to another process."""
        return self._update(session, run_id, self._table.holder == holder, expires_at=now + LEASE_TTL)

    def close(
        self, session: Session, run_id: int, status: RunStatus, reason: str | None, now: datetime
    ) -> None:
        """End a run in progress."""
        self._update(session, run_id, status=status, reason=reason, ended_at=now)

    def _update(self, session: Session, run_id: int, *conditions: Any, **values: Any) -> bool:
        in_progress = (self._table.id == run_id, self._table.status == RunStatus.PROCESSING)
        return updated_one(
            session.execute(update(self._table).where(*in_progress, *conditions).values(**values))
        )

    def _newest(self, statuses: tuple[RunStatus, ...]) -> Select[Any]:
        newest = select(self._table).order_by(self._table.id.desc())
        return newest.where(self._table.status.in_(statuses)) if statuses else newest
