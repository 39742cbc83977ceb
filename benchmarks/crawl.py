"""Measure a crawl of a shop with 1,000 books, with 50 ms of latency and the default concurrency of 8.

    .venv/bin/python benchmarks/crawl.py [--base-url http://127.0.0.1:8899/] [--times 3]

Crawls as the server does, from a child process. Without an address it serves the demonstration shop itself, from
another. The ratio is to the shop's lower bound: 1,050 pages at 8 at a time, 50 ms each, are 6.6 s.
"""

import argparse
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

import requests

sys.path.insert(0, str(Path(__file__).parents[1]))

from scraper.child_process import crawl_in_child
from scraper.events import CrawlFinished, PageFailed
from scraper.options import DEFAULT_OPTIONS
from tests.support.server import free_port

LATENCY_S = 0.05


def crawl_ratio(base_url: str) -> float:
    """Crawl once; return the seconds as a multiple of the lower bound."""
    began, cpu_before = time.perf_counter(), _cpu_s()
    requests_sent = 0
    for event in crawl_in_child(base_url):
        if isinstance(event, PageFailed):
            raise SystemExit(f"{event.url}: {event.reason}")
        if isinstance(event, CrawlFinished):
            requests_sent = event.requests
    seconds, cpu = time.perf_counter() - began, _cpu_s() - cpu_before
    ratio = seconds / (requests_sent * LATENCY_S / DEFAULT_OPTIONS.concurrency)
    sys.stdout.write(
        f"  {requests_sent} requests in {seconds:.2f} s, {ratio:.3f} of the bound; "
        f"{cpu / requests_sent * 1_000:.2f} ms of processor time a page\n"
    )
    return ratio


def _cpu_s() -> float:
    """Return the processor time of this process and its ended children."""
    return sum(os.times()[:4])


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--base-url")
    parser.add_argument("--times", type=int, default=3)
    options = parser.parse_args()
    base_url, site = options.base_url, None
    if base_url is None:
        port = free_port()
        base_url = f"http://127.0.0.1:{port}/"
        site = subprocess.Popen(
            [sys.executable, "-m", "demo.site", "--port", str(port), "--latency-s", str(LATENCY_S)],
            cwd=Path(__file__).parents[1],
        )
    try:
        _wait_for(base_url)
        ratios = [crawl_ratio(base_url) for _ in range(options.times)]
    finally:
        if site is not None:
            site.terminate()
            site.wait(10)
    sys.stdout.write(f"median of {options.times}: {statistics.median(ratios):.3f} of the lower bound\n")


def _wait_for(base_url: str) -> None:
    deadline = time.monotonic() + 20
    while True:
        try:
            requests.get(base_url, timeout=2)
            return
        except requests.ConnectionError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)


if __name__ == "__main__":
    main()
