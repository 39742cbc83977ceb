"""Runs in the background: what scrapes and trainings have in common."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final


class LeaseLost(Exception):
    """Another process reaped this run, and may have begun the next one."""


class RunStatus(StrEnum):
    """The state of a run; all but the first are final."""

    PROCESSING = "processing"
    DONE = "done"
    ERROR = "error"
    CANCELLED = "cancelled"
    INTERRUPTED = "interrupted"

    @property
    def word(self) -> str:
        """The seeds' word: they know no interrupted run, only one that went wrong."""
        return RunStatus.ERROR.value if self is RunStatus.INTERRUPTED else self.value


ENDED: Final = tuple(status for status in RunStatus if status is not RunStatus.PROCESSING)


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One run. `reason` is a sentence for people, None where it is done or in progress.

    Its lease is the right of the process `holder` to work on it until `expires_at`.
    """

    id: int
    status: RunStatus
    reason: str | None
    started_by: str
    started_at: datetime
    ended_at: datetime | None
    holder: str | None
    expires_at: datetime | None

    @property
    def duration_s(self) -> float | None:
        return None if self.ended_at is None else (self.ended_at - self.started_at).total_seconds()


def status_word(run: Run | None) -> str:
    """Return the seeds' word for the status of the newest run, if there is any."""
    return "never" if run is None else run.status.word
