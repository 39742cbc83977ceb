from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from app.processes import own_identity
from app.services.scrape_run import BackgroundScrape
from app.services.scraping import KIND
from app.storage.database import Database
from app.storage.models import StagedPageRow
from app.storage.scraping import begin_run
from scraper.crawl import Idle, ListingRead, ProductRead
from tests.support.books import make_scraped
from tests.support.clock import set_clock
from tests.support.shop import make_settings


def begin_scrape(database: Database, data_dir: Path) -> BackgroundScrape:
    with database.writing() as session:
        now = database.now(session)
        run, staged = begin_run(
            session, "https://shop.invalid/", "admin", own_identity(), now, now - timedelta(hours=1)
        )
    return BackgroundScrape(KIND, run, make_settings(data_dir), database, staged)


def test_waiting_for_a_slow_shop_reads_no_page(database: Database, tmp_path: Path) -> None:
    scrape = begin_scrape(database, tmp_path)
    listing = ListingRead(
        url="https://shop.invalid/", page_number=1, pages_total=3, first_position=0, product_urls=()
    )
    for event in (Idle(), listing, Idle(), Idle()):
        scrape._handle(event)
    assert (scrape.result.pages_done, scrape.result.pages_total) == (1, 3)


@pytest.mark.sqlite_only("the clock that the test sets is that of SQLite's transactions")
def test_a_page_is_as_old_as_the_clock_says_by_which_orders_are_shipped(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_clock(monkeypatch, timedelta(days=-1))
    scrape = begin_scrape(database, tmp_path)
    scrape._handle(ProductRead("https://shop.invalid/a", 0, make_scraped("a")))
    scrape._save()
    with database.reading() as session:
        (read_at,) = session.scalars(select(StagedPageRow.read_at))
    assert timedelta(0) <= read_at - scrape.run.started_at < timedelta(minutes=1)
