from __future__ import annotations

import threading
import time
from datetime import UTC, datetime

import pytest

from scraper.errors import CrawlCancelled
from scraper.throttle import Throttle, backoff_s, retry_after_s

NOW = datetime(2026, 1, 1, 12, 0, 0, tzinfo=UTC)
LIMITS = {1: 1, 2: 2, 3: 4, 8: 10, 5000: 10}
"""The longest wait in seconds by the number of failures, from 1 s up to 10 s."""


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("3", 3.0),
        (" 120 ", 120.0),
        ("Thu, 01 Jan 2026 12:00:30 GMT", 30.0),
        ("Thu, 01 Jan 2026 11:00:00 GMT", 0.0),
        ("Thu, 01 Jan 2026 12:00:05 -0000", 5.0),
        ("soon", 0.0),
        ("-5", 0.0),
        ("", 0.0),
        (None, 0.0),
        ("Wed, 21 Oct 99999999999 07:28:00 GMT", 0.0),
        ("Wed, 21 Oct 99999 07:28:00 GMT", 0.0),
        ("Wed, 21 Oct 0000 07:28:00 GMT", 0.0),
        ("Fri, 31 Dec 9999 23:59:59 +99999999999999", 0.0),
    ],
)
def test_retry_after_is_seconds_or_a_date(header: str | None, seconds: float) -> None:
    assert retry_after_s(header, NOW) == seconds


def test_backoff_doubles_up_to_its_cap_with_full_jitter() -> None:
    waits = {failures: [backoff_s(failures, 1.0, 10.0) for _ in range(300)] for failures in LIMITS}
    assert all(limit >= max(waits[failures]) > limit / 2 for failures, limit in LIMITS.items())
    assert all(min(seconds) < max(seconds) / 4 for seconds in waits.values())


def test_turns_are_spaced_out_over_all_workers() -> None:
    throttle = Throttle(threading.Event())
    throttle.set_interval(0.05)
    turns: list[float] = []

    def take_two() -> None:
        for _ in range(2):
            throttle.wait_turn()
            turns.append(time.monotonic())

    workers = [threading.Thread(target=take_two) for _ in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    turns.sort()
    assert len(turns) == 6
    assert turns[-1] - turns[0] >= 0.24


def test_a_pause_also_holds_a_worker_that_is_already_waiting() -> None:
    throttle = Throttle(threading.Event())
    throttle.pause(0.1)
    waiter_done: list[float] = []

    def wait() -> None:
        throttle.wait_turn()
        waiter_done.append(time.monotonic())

    worker = threading.Thread(target=wait)
    started = time.monotonic()
    worker.start()
    throttle.pause(0.4)
    worker.join()
    assert waiter_done[0] - started >= 0.4


def test_every_wait_ends_at_once_when_stopped() -> None:
    stopped = threading.Event()
    throttle = Throttle(stopped)
    throttle.pause(60)
    threading.Timer(0.05, stopped.set).start()
    started = time.monotonic()
    with pytest.raises(CrawlCancelled):
        throttle.wait_turn()
    assert time.monotonic() - started < 5
