import threading
import time
from datetime import UTC, datetime

import pytest

from scraper.errors import CrawlCancelled
from scraper.robots import parse_robots
from scraper.throttle import Throttle, backoff_s, retry_after_s

NOW = datetime(2026, 1, 1, 12, 0, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("robots", "path", "allowed"),
    [
        ("", "/x", True),
        ("User-agent: *\nDisallow: /", "/x", False),
        ("User-agent: *\nDisallow:", "/x", True),
        ("User-agent: *\nDisallow: /a\nAllow: /a/b", "/a/b/c", True),
        ("User-agent: *\nAllow: /a/b\nDisallow: /a", "/a/c", False),
        ("User-agent: *\nDisallow: /a\nAllow: /a", "/a", True),
        ("User-agent: *\nDisallow: /*.pdf$", "/x/y.pdf", False),
        ("User-agent: *\nDisallow: /*.pdf$", "/x/y.pdf.html", True),
        ("User-agent: *\nDisallow: /a*c*e", "/a-b-c-d-e-f", False),
        ("User-agent: *\nDisallow: /x$", "/xy", True),
        ("User-agent: *\nDisallow: /caf%C3%A9", "/café", False),
        ("User-agent: *\nDisallow: /\n\nUser-agent: Livraria-Scraper/1.0\nDisallow: /b", "/a", True),
        ("User-agent: livraria-scraper\nUser-agent: other\nDisallow: /a", "/a", False),
        ("User-agent: other\nDisallow: /", "/a", True),
        ("\ufeffUser-agent: * # all\r\nDisallow: /a # private\r\nnonsense", "/a", False),
    ],
)
def test_robots_rules_follow_rfc_9309(robots: str, path: str, allowed: bool):
    assert parse_robots(robots.encode(), "livraria-scraper").allows(f"http://shop.test{path}") is allowed


@pytest.mark.parametrize(
    ("text", "seconds"), [("2", 2.0), ("0.5", 0.5), ("-1", 0.0), ("nan", 0.0), ("inf", 0.0)]
)
def test_only_a_plain_number_is_a_crawl_delay(text: str, seconds: float):
    assert parse_robots(f"User-agent: *\nCrawl-delay: {text}".encode(), "us").crawl_delay_s == seconds


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
    ],
)
def test_retry_after_is_seconds_or_a_date(header: str | None, seconds: float):
    assert retry_after_s(header, NOW) == seconds


def test_backoff_doubles_up_to_its_cap_with_full_jitter():
    waits = [[backoff_s(failures, 1.0, 10.0) for _ in range(300)] for failures in (1, 2, 3, 8, 5000)]
    assert [limit >= max(some) > limit / 2 for limit, some in zip((1, 2, 4, 10, 10), waits, strict=True)] == [
        True
    ] * 5
    assert all(min(some) < max(some) / 4 for some in waits)


def test_turns_are_spaced_out_over_all_workers():
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


def test_a_pause_also_holds_a_worker_that_is_already_waiting():
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


def test_every_wait_ends_at_once_when_stopped():
    stopped = threading.Event()
    throttle = Throttle(stopped)
    throttle.pause(60)
    threading.Timer(0.05, stopped.set).start()
    started = time.monotonic()
    with pytest.raises(CrawlCancelled):
        throttle.wait_turn()
    assert time.monotonic() - started < 5
