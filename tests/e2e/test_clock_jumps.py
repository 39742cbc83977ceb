"""The wall clock set an hour ahead and an hour back under a server that sells and scrapes."""

from __future__ import annotations

import struct
import subprocess
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from demo.site.books import make_books
from demo.site.faults import Faults
from demo.site.server import DemoSite
from tests.support.database_faults import find_mismatches
from tests.support.order_load import TROUBLE, buyers_at, wait_for_each
from tests.support.polling import poll
from tests.support.programs import need
from tests.support.server import Server

HOUR_S = 3_600
SOURCE = Path(__file__).parents[1] / "support" / "clock_offset.c"


class Clock:
    """A wall clock that can be set, for the programs that start with its environment."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "offset"
        library = folder / "clock_offset.so"
        compiler = need("cc", debian_package="gcc")
        subprocess.run([compiler, "-shared", "-fPIC", "-O1", "-o", library, SOURCE], check=True)
        self.environment = {"LD_PRELOAD": str(library), "CLOCK_OFFSET_FILE": str(self._file)}
        self.set(0)

    def set(self, seconds_ahead: int) -> None:
        with self._file.open("r+b" if self._file.exists() else "wb", buffering=0) as file:
            file.write(struct.pack("q", seconds_ahead))


@pytest.fixture
def clock(tmp_path: Path) -> Clock:
    return Clock(tmp_path)


@pytest.fixture
def slow_site() -> Iterator[DemoSite]:
    with DemoSite(make_books(100, seed=7), Faults(latency_s=0.5)) as site:
        yield site


def seconds_ahead(server: Server) -> float:
    """Return by how much the server's clock is ahead of ours, as its log tells."""
    seen = server.get("/api/v1/categories").headers["X-Request-ID"]
    [record] = server.get(f"/api/v1/logs?request_id={seen}").json()
    return (datetime.fromisoformat(record["timestamp"]) - datetime.now(UTC)).total_seconds()


def test_a_clock_that_is_set_ahead_and_back_buries_no_scrape_and_fails_no_order(
    start_on: Callable[..., Server], clock: Clock, slow_site: DemoSite
) -> None:
    server = start_on(
        **clock.environment,
        **TROUBLE,
        WEB_WORKERS="2",
        SCRAPER_BASE_URL=slow_site.base_url,
        SCRAPER_CONCURRENCY="2",
        SCRAPER_MAX_VANISHED_SHARE="1",
    )
    header = server.log_in()
    assert server.post("/api/v1/scraping/trigger", headers=header).status_code == 202
    with buyers_at(server.url) as buyers:
        for ahead in (HOUR_S, -HOUR_S, 0):
            clock.set(ahead)
            wait_for_each(buyers)
            assert abs(seconds_ahead(server) - ahead) < 10
            assert server.get("/health").status_code == 200
            assert server.get("/api/v1/scraping/status").json()["status"] == "processing"
    assert server.post("/api/v1/scraping/cancel", headers=header).status_code == 202
    assert server.wait_for_scrape()["status"] == "cancelled"
    console = server.log.read_text()
    assert "order_reconciled" not in console
    assert "scrape_interrupted" not in console
    assert "Traceback" not in console
    assert find_mismatches(server.data_dir, server.database_url) == []


def test_a_day_that_the_clock_skips_is_scraped_once_also_after_it_goes_back(
    start_server: Callable[..., Server], clock: Clock, slow_site: DemoSite
) -> None:
    """On SQLite, whose clock is this machine's."""
    server = start_server(
        **clock.environment,
        WEB_WORKERS="2",
        SCRAPER_BASE_URL=slow_site.base_url,
        SCRAPER_MAX_VANISHED_SHARE="1",
        SCRAPER_SCHEDULE=f"0 {(datetime.now(UTC).hour + 12) % 24} * * *",
    )
    header: dict[str, str] = {}

    def scrapes() -> list[tuple[str, str]]:
        runs = server.get("/api/v1/scraping/runs", headers=header).json()
        return [(run["iniciada_por"], run["status"]) for run in runs]

    clock.set(24 * HOUR_S)
    header = server.log_in()
    assert poll(lambda: scrapes() == [("agenda", "done")], 60), scrapes()
    planned = server.get("/api/v1/scraping/schedule").json()["proxima_execucao"]
    clock.set(0)
    header = server.log_in()
    assert poll(lambda: server.get("/api/v1/logs?text=schedule_clock_went_back").json(), 30)
    assert server.get("/api/v1/scraping/schedule").json()["proxima_execucao"] == planned
    clock.set(48 * HOUR_S)
    header = server.log_in()
    assert poll(lambda: scrapes() == [("agenda", "done")] * 2, 60), scrapes()
