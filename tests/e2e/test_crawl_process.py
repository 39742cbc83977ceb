"""Crawls in a process of their own."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from demo.site.books import make_books
from demo.site.faults import Faults
from demo.site.server import DemoSite
from scraper import child_process
from scraper.child_process import crawl_in_child
from scraper.crawl import crawl
from scraper.errors import CrawlCancelled, CrawlFailed
from scraper.events import CrawlEvent, CrawlFinished, Idle, PageFailed
from scraper.options import CrawlOptions
from tests.support.raw_site import http_response, raw_site
from tests.support.server import ROOT, Server

BOOKS = make_books(45)
CRAWLING = """
import sys
from scraper.child_process import crawl_in_child
for event in crawl_in_child(sys.argv[1]):
    print(type(event).__name__, flush=True)
"""


@pytest.fixture
def hanging_site() -> Iterator[DemoSite]:
    """A shop whose first page comes after a minute."""
    with DemoSite(BOOKS, Faults(latency_s=60)) as site:
        yield site


def until(condition: Callable[[], bool], within_s: float = 10) -> None:
    deadline = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline
        threading.Event().wait(0.01)


def children_of(pid: int) -> list[int]:
    listed = subprocess.run(
        ["ps", "-A", "-o", "pid=", "-o", "ppid=", "-o", "command="],
        capture_output=True,
        text=True,
        check=True,
    )
    rows = [line.split(maxsplit=2) for line in listed.stdout.splitlines()]
    return [int(row[0]) for row in rows if int(row[1]) == pid and "scraper.child_process" in row[-1]]


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    state = subprocess.run(
        ["ps", "-o", "state=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    return state.stdout.strip()[:1] not in ("", "Z")


def test_the_events_are_those_of_a_crawl_in_this_process() -> None:
    faults = Faults(malformed_rate=0.2)
    known = frozenset({BOOKS[1].path})
    with DemoSite(BOOKS, faults) as site:
        already_read = {site.base_url[:-1] + path for path in known}
        here, there = (
            [
                event
                for event in read(site.base_url, CrawlOptions(max_attempts=2), already_read=already_read)
                if not isinstance(event, CrawlFinished)  # which has the seconds
            ]
            for read in (crawl, crawl_in_child)
        )
        assert any(isinstance(event, PageFailed) for event in there)
        assert set(here) == set(there)
        assert len(here) == len(there)


def test_a_listing_that_cannot_be_read_fails_the_crawl_with_its_reason() -> None:
    with (
        raw_site({"/": http_response(200, b"<h1>Hello</h1>")}) as site,
        pytest.raises(CrawlFailed, match="listagem não lida: sem contagem"),
    ):
        list(crawl_in_child(site.base_url))


def test_cancelling_ends_the_child_in_the_middle_of_its_request(hanging_site: DemoSite) -> None:
    cancelled = threading.Event()
    with closing(crawl_in_child(hanging_site.base_url, cancelled=cancelled)) as events:
        next(events)  # a heartbeat
        cancel(events, cancelled)


def cancel(events: Iterator[CrawlEvent], cancelled: threading.Event) -> None:
    """Cancel a crawl, which ends at once, and its child with it."""
    (child,) = children_of(os.getpid())
    cancelled.set()
    began = time.monotonic()
    with pytest.raises(CrawlCancelled):
        list(events)
    assert time.monotonic() - began < 1
    assert not is_alive(child)


@pytest.fixture
def unreachable_site() -> Iterator[str]:
    """The address of a shop to which no connection comes about: its queue is full."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as server, ExitStack() as queue:
        for _ in range(8):
            waiting = queue.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(server.getsockname())
        yield f"http://127.0.0.1:{server.getsockname()[1]}/"


def test_cancelling_ends_a_child_that_waits_for_a_connection(unreachable_site: str) -> None:
    options = CrawlOptions(connect_timeout_s=300, read_timeout_s=300, attempt_deadline_s=300)
    cancelled = threading.Event()
    with closing(crawl_in_child(unreachable_site, options, cancelled=cancelled)) as events:
        assert [type(next(events)) for _ in range(4)] == [Idle] * 4
        cancel(events, cancelled)


def test_a_server_that_is_told_to_end_waits_for_no_connection_of_its_scrape(
    unreachable_site: str, start_server: Callable[..., Server]
) -> None:
    server = start_server(SCRAPER_BASE_URL=unreachable_site, SCRAPER_CONNECT_TIMEOUT_S="300")
    server.post("/api/v1/scraping/trigger", headers=server.log_in())
    assert server.get("/api/v1/scraping/status").json()["status"] == "processing"
    began = time.monotonic()
    server.end(signal.SIGTERM)
    assert time.monotonic() - began < 10


def test_closing_the_generator_ends_the_child(hanging_site: DemoSite) -> None:
    with closing(crawl_in_child(hanging_site.base_url)) as events:
        next(events)
        (child,) = children_of(os.getpid())
    assert not is_alive(child)


def test_a_child_whose_caller_is_killed_ends_within_a_heartbeat(hanging_site: DemoSite) -> None:
    caller = subprocess.Popen(
        [sys.executable, "-c", CRAWLING, hanging_site.base_url], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    with caller:
        assert caller.stdout is not None
        assert caller.stdout.readline() == "Idle\n"
        (child,) = children_of(caller.pid)
        caller.kill()
    until(lambda: not is_alive(child))


def test_a_child_that_is_killed_is_a_crash_and_not_an_end(hanging_site: DemoSite) -> None:
    events = crawl_in_child(hanging_site.base_url)
    next(events)
    (child,) = children_of(os.getpid())
    os.kill(child, signal.SIGKILL)
    with pytest.raises(RuntimeError, match="exit code -9"):
        list(events)


def test_a_child_that_crashes_leaves_its_last_words() -> None:
    with pytest.raises(RuntimeError, match="not an absolute http"):
        list(crawl_in_child("ftp://shop.invalid/"))


def test_a_child_that_stops_dead_fails_the_crawl(
    hanging_site: DemoSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    events = crawl_in_child(hanging_site.base_url)
    next(events)
    (child,) = children_of(os.getpid())
    monkeypatch.setattr(child_process, "SILENCE_S", 0.3)
    os.kill(child, signal.SIGSTOP)
    with pytest.raises(CrawlFailed, match="não deu sinal"):
        list(events)
    assert not is_alive(child)


def test_the_child_has_the_callers_proxy_and_none_of_its_secrets(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spy = tmp_path / "spy"
    spy.write_text(f"#!/bin/sh\nenv > {tmp_path / 'environment'}\n")
    spy.chmod(0o755)
    monkeypatch.setattr(child_process, "_COMMAND", (str(spy),))
    monkeypatch.setenv("https_proxy", "http://proxy.invalid:3128")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/etc/bundle.pem")
    monkeypatch.setenv("JWT_SECRET_KEY", "hush")
    assert list(crawl_in_child("http://shop.invalid/")) == []
    environment = (tmp_path / "environment").read_text().splitlines()
    assert {"https_proxy=http://proxy.invalid:3128", "REQUESTS_CA_BUNDLE=/etc/bundle.pem"} <= set(environment)
    assert "hush" not in "".join(environment)
