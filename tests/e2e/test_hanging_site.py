"""A shop to scrape that accepts connections and never answers: it costs its own run, and no customer anything."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import pytest

from demo.site.books import make_books
from demo.site.faults import Faults
from demo.site.server import DemoSite
from tests.support.database_faults import AT_ONCE_S, Buyers, find_mismatches, watching
from tests.support.server import Server

READ_TIMEOUT_S, MARGIN_S = 3, 5


@pytest.fixture
def hanging_site() -> Iterator[DemoSite]:
    with DemoSite(make_books(45), Faults(latency_s=60)) as site:
        yield site


def test_a_site_that_hangs_fails_its_scrape_in_time_while_the_shop_sells(
    start_on: Callable[..., Server], hanging_site: DemoSite
) -> None:
    server = start_on(
        SCRAPER_BASE_URL=hanging_site.base_url,
        SCRAPER_READ_TIMEOUT_S=str(READ_TIMEOUT_S),
        SCRAPER_MAX_ATTEMPTS="1",
    )
    header, before = server.log_in(), server.get("/api/v1/books/5").json()["titulo"]
    buyers = Buyers(server, 10)
    began = time.monotonic()
    assert server.post("/api/v1/scraping/trigger", headers=header).status_code == 202
    with watching(server):
        buyers.buy_again()
        assert server.get("/api/v1/scraping/status").json()["status"] == "processing"
        status = server.wait_for_scrape(within_s=READ_TIMEOUT_S + MARGIN_S)
    assert buyers.longest_s < AT_ONCE_S
    assert time.monotonic() - began > READ_TIMEOUT_S
    assert status["status"] == "error"
    run = server.get("/api/v1/scraping/runs", headers=header).json()[0]
    assert "não lida" in run["motivo"]
    assert server.get("/api/v1/books/5").json()["titulo"] == before, "the catalogue stays as it was"
    assert server.post("/api/v1/scraping/trigger", headers=header).status_code == 202
    assert server.post("/api/v1/scraping/cancel", headers=header).status_code == 202
    assert server.wait_for_scrape(within_s=AT_ONCE_S)["status"] == "cancelled"
    assert find_mismatches(server.data_dir, server.database_url) == []
