from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.observability.logs.reader import LogReader


@pytest.fixture
def shop_log() -> Iterator[logging.Logger]:
    """The shop's logger, as it was afterwards."""
    log = logging.getLogger("app")
    before = log.handlers[:], log.level, log.propagate
    yield log
    log.handlers[:], log.level, log.propagate = before[0], before[1], before[2]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where a log will be."""
    return tmp_path / "app.jsonl"


@pytest.fixture
def reader(path: Path) -> LogReader:
    return LogReader(path, files=5)
