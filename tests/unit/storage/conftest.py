from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine

from app.storage import polled
from app.storage.database import Database, database_options
from tests.support.databases import Databases


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


@pytest.fixture
def other_database(tmp_path: Path, databases: Databases, migrated_url: str) -> Iterator[Database]:
    """A second migrated database, in which nothing was ever published."""
    folder = tmp_path / "other"
    folder.mkdir()
    url = databases.copy(migrated_url, folder)
    database = Database(create_engine(url, **database_options(url, threads=8)))
    yield database
    database.engine.dispose()
    databases.drop(url)
