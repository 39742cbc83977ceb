"""The wall clock of this machine, as a careless administrator or a bad time server sets it."""

from __future__ import annotations

from datetime import datetime, timedelta, tzinfo

import pytest

from app.storage import database


def set_clock(monkeypatch: pytest.MonkeyPatch, ahead: timedelta) -> None:
    """Have the database's transactions see the machine's clock `ahead` of the real time."""

    class Ahead(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> datetime:  # type: ignore[override]
            return datetime.now(tz) + ahead

    monkeypatch.setattr(database, "datetime", Ahead)
