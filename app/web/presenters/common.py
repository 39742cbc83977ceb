"""Values that several presenters write."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

Shape = dict[str, Any]


def present_time(value: datetime | None) -> str | None:
    return (
        None
        if value is None
        else value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    )
