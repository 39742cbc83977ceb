"""Values that several presenters write."""

from datetime import UTC, datetime
from typing import Any

from app.core.runs import Run

Shape = dict[str, Any]


def present_time(value: datetime | None) -> str | None:
    return (
        None
        if value is None
        else value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    )


def present_duration(run: Run) -> float | None:
    """Return how many seconds an ended run took."""
    return None if run.duration_s is None else round(run.duration_s, 3)
