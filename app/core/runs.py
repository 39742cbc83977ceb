"""Work that goes on in the background for a while: scrapes and trainings."""

from __future__ import annotations

from enum import StrEnum


class LeaseLost(Exception):
    """Another process took this run for dead and may be at it already."""


class RunStatus(StrEnum):
    """How a run stands; all but the first are final."""

    PROCESSING = "processing"
    DONE = "done"
    ERROR = "error"
    CANCELLED = "cancelled"
    INTERRUPTED = "interrupted"

    @property
    def shown(self) -> str:
        """The seeds' word for it: they know no interrupted scrape, only one that went wrong."""
        return RunStatus.ERROR.value if self is RunStatus.INTERRUPTED else self.value
