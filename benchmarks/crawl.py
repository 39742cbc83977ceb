"""Measure a crawl of a shop with 1,000 books, with 50 ms of latency and the default concurrency of 8.

    .venv/bin/python benchmarks/crawl.py [--base-url http://127.0.0.1:8899/] [--times 3]

Without an address it serves the demonstration shop itself, from a process of its own. The lower bound is the shop's:
1,050 pages at 8 at a time, 50 ms each, are 6.6 s.
"""

import argparse
import statistics
import subprocess
import sys
import time
from pathlib import Path

import requests

sys.path.insert(0, str(Path(__file__).parents[1]))

from scraper.crawl import CrawlFinished, PageFailed, crawl
from tests.support.server import free_port


def crawl_seconds(base_url: str) -> float:
    began = time.perf_counter()
    for event in crawl(base_url):
        if isinstance(event, PageFailed):
            raise SystemExit(f"{event.url}: {event.reason}")
        if isinstance(event, CrawlFinished):
            sys.stdout.write(f"  {event.products_listed} books, {event.requests} requests\n")
    return time.perf_counter() - began


def main() -> None:
    parser = argparse.ArgumentParser(description="seconds for a crawl of 1,000 books")
    parser.add_argument("--base-url")
    parser.add_argument("--times", type=int, default=3)
    options = parser.parse_args()
    base_url, site = options.base_url, None
    if base_url is None:
        port = free_port()
        base_url = f"http://127.0.0.1:{port}/"
        site = subprocess.Popen(
            [sys.executable, "-m", "demo.site", "--port", str(port), "--latency-s", "0.05"],
            cwd=Path(__file__).parents[1],
        )
    try:
        _wait_for(base_url)
        seconds = [crawl_seconds(base_url) for _ in range(options.times)]
    finally:
        if site is not None:
            site.terminate()
            site.wait(10)
    sys.stdout.write(f"median of {options.times}: {statistics.median(seconds):.1f} s\n")


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
