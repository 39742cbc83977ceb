from __future__ import annotations

import os
import threading
from collections.abc import Iterator

import pytest

from scraper.options import CrawlOptions


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)


@pytest.fixture(autouse=True)
def _no_thread_is_left() -> Iterator[None]:
    yield
    threads = [thread.name for thread in threading.enumerate() if thread.name.startswith("scraper")]
    assert threads == []


@pytest.fixture
def quick() -> CrawlOptions:
    """Options that lose no time in waiting."""
    return CrawlOptions(
        connect_timeout_s=2.0,
        read_timeout_s=2.0,
        attempt_deadline_s=5.0,
        backoff_base_s=0.002,
        backoff_cap_s=0.02,
    )
