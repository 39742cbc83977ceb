"""Serve hostile and friendly clients together for a while, and judge whether anything of the shop grows.

    .venv/bin/python -m benchmarks.soak [--minutes 30] [--write]

Prints the judgement; with --write, docs/soak.md, docs/soak.svg and docs/soak.csv get it, the curves and the samples.
Exits with 1 where something grows or a friendly request failed.
"""

import argparse
import http.client
import json
import math
import sqlite3
import sys
import tempfile
import threading
import time
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.programs import descendants, memory_mb
from benchmarks.soak_report import Sample, judge, write_report
from demo.site.books import make_books
from demo.site.server import DemoSite
from tests.support.hostile_clients import hostile_clients
from tests.support.server import Server

HOSTILE = {
    "stalled_body": 200,
    "dripping_body": 50,
    "chunked_body": 50,
    "slow_headers": 100,
    "slow_reader": 50,
    "slow_file": 10,
    "half_open": 200,
    "scanner": 50,
    "trickster": 20,
    "guesser": 50,
    "garbage": 20,
    "huge_body": 10,
}
"""Clients of each kind; those that send one request send one every other second."""
LOG_FILES, LOG_MAX_BYTES = 3, 1_000_000
SAMPLE_EVERY_S = 10.0
SCRAPE_EVERY_S = 300.0
_PAUSE_S = 0.05
_LOGIN_EVERY = 20
_ADDRESS = "127.0.0.2"
_API_KEY = {"X-API-Key": "minha_chave_secreta_empresa"}
_CREDENTIALS = {"username": "admin", "password": "1234"}


@dataclass(slots=True)
class Friends:
    """Clients that read, order and log in from one address, a request after another; `_lock` protects the lists."""

    port: int
    milliseconds: list[float] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _ended: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        number = 0
        while not self._ended.wait(_PAUSE_S):
            number += 1
            book = number % 1_000
            order = {"customer_id": "c1", "items": [{"product_id": book, "quantity": 1}]}
            self.send("GET", f"/api/v1/books/{book}", (200, 404))
            if number % 4 == 0:
                self.send("POST", "/orders", (201, 404, 409), order, _API_KEY)  # not scraped yet, or sold out
            if number % _LOGIN_EVERY == 0:
                self.send("POST", "/api/v1/auth/login", (200,), _CREDENTIALS)

    def end(self) -> None:
        self._ended.set()

    def send(
        self,
        method: str,
        path: str,
        expected: tuple[int, ...],
        body: Any = None,
        headers: Mapping[str, str] | None = None,
    ) -> Any:
        """Send one request on a connection of its own, and return the JSON of its answer."""
        began = time.monotonic()
        try:
            connection = http.client.HTTPConnection(
                "127.0.0.1", self.port, timeout=20, source_address=(_ADDRESS, 0)
            )
            with closing(connection):
                content = None if body is None else json.dumps(body)
                connection.request(
                    method, path, content, {"Content-Type": "application/json", **(headers or {})}
                )
                response = connection.getresponse()
                answer = response.read()
            failure = (
                None if response.status in expected else f"{method} {path}: {response.status} {answer!r}"
            )
        except OSError as error:
            answer, failure = b"null", f"{method} {path}: {error!r}"
        with self._lock:
            self.milliseconds.append((time.monotonic() - began) * 1_000)
            if failure is not None:
                self.failures.append(failure[:300])
        return json.loads(answer)

    def take(self) -> list[float]:
        """Return the latencies since the last call."""
        with self._lock:
            taken, self.milliseconds = self.milliseconds, []
        return sorted(taken)


def soak(
    seconds: float, folder: Path, hostile: Mapping[str, int], sample_every_s: float
) -> tuple[list[Sample], list[str]]:
    """Return the samples of a run of so many seconds, and the friendly requests that failed."""
    with (
        DemoSite(make_books(1_000)) as site,
        Server(
            folder / "data",
            SCRAPER_BASE_URL=site.base_url,
            LOG_FILES=str(LOG_FILES),
            LOG_MAX_BYTES=str(LOG_MAX_BYTES),
        ) as server,
    ):
        friends = Friends(server.port)
        _scrape(friends)
        server.wait_for_scrape()
        thread = threading.Thread(target=friends.run)
        thread.start()
        try:
            with hostile_clients(server.port, **hostile):
                samples = _sample(server, friends, seconds, sample_every_s)
        finally:
            friends.end()
            thread.join()
        return samples, friends.failures


def _sample(server: Server, friends: Friends, seconds: float, every_s: float) -> list[Sample]:
    began = scraped = time.monotonic()
    samples: list[Sample] = []
    while (elapsed := time.monotonic() - began) < seconds:
        time.sleep(every_s)
        if time.monotonic() - scraped > SCRAPE_EVERY_S:
            scraped = time.monotonic()
            _scrape(friends)
        samples.append(_take_sample(server, friends, elapsed + every_s))
    return samples


def _scrape(friends: Friends) -> None:
    token = friends.send("POST", "/api/v1/auth/login", (200,), _CREDENTIALS)["access_token"]
    friends.send("POST", "/api/v1/scraping/trigger", (202, 409), headers={"Authorization": f"Bearer {token}"})


def _take_sample(server: Server, friends: Friends, at_s: float) -> Sample:
    assert server.process is not None
    taken = friends.take()
    processes = descendants(server.process.pid)
    metrics = server.get("/metrics").text
    database = server.data_dir / "livraria.db"
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True, timeout=10)) as connection:
        (orders,) = connection.execute("SELECT count(*) FROM pedido").fetchone()
    return Sample(
        at_s=round(at_s, 1),
        memory_mb=round(memory_mb(server.process.pid) or math.nan, 1),
        open_files=sum(_entries(process, "fd") for process in processes),
        threads=sum(_entries(process, "task") for process in processes),
        series=sum(not line.startswith("#") for line in metrics.splitlines()),
        log_bytes=sum(path.stat().st_size for path in (server.data_dir / "logs").iterdir()),
        database_bytes=sum(path.stat().st_size for path in server.data_dir.glob("livraria.db*")),
        orders=orders,
        requests=len(taken),
        p50_ms=round(taken[len(taken) // 2], 2) if taken else math.nan,
        p99_ms=round(taken[int(len(taken) * 0.99)], 2) if taken else math.nan,
    )


def _entries(process: int, kind: str) -> int:
    try:
        return len(list(Path(f"/proc/{process}/{kind}").iterdir()))
    except FileNotFoundError:  # a scraper that has ended meanwhile
        return 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument(
        "--write", action="store_true", help="write docs/soak.md, docs/soak.svg and docs/soak.csv"
    )
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="soak-") as folder:
        samples, failures = soak(arguments.minutes * 60, Path(folder), HOSTILE, SAMPLE_EVERY_S)
    findings = judge(samples, failures, LOG_FILES * LOG_MAX_BYTES)
    for finding in findings:
        sys.stdout.write(f"{finding.sentence}\n")
    if arguments.write:
        write_report(samples, findings, HOSTILE)
    return int(not all(finding.holds for finding in findings))


if __name__ == "__main__":
    sys.exit(main())
