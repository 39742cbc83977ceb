from __future__ import annotations

import pytest

from app.storage import polled


class Clock:
    """A monotonic clock that only the test moves."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The clock of every polled value."""
    clock = Clock()
    monkeypatch.setattr(polled, "time", clock)
    return clock
