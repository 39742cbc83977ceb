"""Measure a crawl of a shop with 1,000 books, with 50 ms of latency and the default concurrency of 8.

    .venv/bin/python benchmarks/crawl.py [--base-url http://127.0.0.1:8899/] [--times 3]

Without an address it serves the demonstration shop itself, from a process of its own. The lower bound is the shop's:
1,050 pages at 8 at a time, 50 ms each, are 6.6 s.
"""

import argparse
import statistics
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.programs import running
from scraper.child_process import crawl_in_child
from scraper.events import CrawlFinished, PageFailed
from scraper.options import DEFAULT_OPTIONS
from tests.support.server import free_port

CAP = DEFAULT_OPTIONS.concurrency
LATENCY_S = 0.05


@contextmanager
def demo_site() -> Iterator[str]:
    """Serve the demonstration shop, which takes LATENCY_S for a page, and yield its address."""
    port = free_port()
    url = f"http://127.0.0.1:{port}/"
    options = ["--port", str(port), "--latency-s", str(LATENCY_S)]
    with running([sys.executable, "-m", "demo.site", *options], url):
        yield url


def timed_crawl(base_url: str) -> tuple[float, int]:
    """Crawl a shop; return the seconds and the requests. Raises RuntimeError where a page fails."""
    began, requests = time.perf_counter(), 0
    for event in crawl_in_child(base_url):
        if isinstance(event, PageFailed):
            raise RuntimeError(f"{event.url}: {event.reason}")
        if isinstance(event, CrawlFinished):
            requests = event.requests
    return time.perf_counter() - began, requests


def least_seconds(requests: int) -> float:
    """Return what the cap and the latency alone take."""
    return requests * LATENCY_S / CAP


def main() -> None:
    parser = argparse.ArgumentParser(description="seconds for a crawl of 1,000 books")
    parser.add_argument("--base-url")
    parser.add_argument("--times", type=int, default=3)
    options = parser.parse_args()
    if options.base_url:
        crawls = [timed_crawl(options.base_url) for _ in range(options.times)]
    else:
        with demo_site() as url:
            crawls = [timed_crawl(url) for _ in range(options.times)]
    for seconds, requests in crawls:
        sys.stdout.write(
            f"  {requests} requests in {seconds:.1f} s, {least_seconds(requests):.1f} at least\n"
        )
    sys.stdout.write(
        f"median of {options.times}: {statistics.median(seconds for seconds, _ in crawls):.1f} s\n"
    )


if __name__ == "__main__":
    main()
