from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.observability.logs.reader import LogReader
from app.observability.logs.writer import LogWriter


@pytest.fixture
def shop_log() -> Iterator[logging.Logger]:
    """The shop's logger, restored after the test."""
    log = logging.getLogger("app")
    handlers, level, propagate = log.handlers[:], log.level, log.propagate
    yield log
    log.handlers[:], log.level, log.propagate = handlers, level, propagate


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where a log will be."""
    return tmp_path / "app.jsonl"


@pytest.fixture
def reader(path: Path) -> LogReader:
    return LogReader(path, files=5)


@pytest.fixture
def writer(path: Path) -> Iterator[LogWriter]:
    writer = LogWriter(path, max_bytes=1_000, files=2)
    yield writer
    writer.close()
