from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from app.processes import own_identity
from app.services.scrape_run import BackgroundScrape
from app.services.scraping import KIND
from app.storage.database import Database
from app.storage.scraping import begin_run
from scraper.crawl import Idle, ListingRead
from tests.support.shop import make_settings


def test_waiting_for_a_slow_shop_reads_no_page(database: Database, tmp_path: Path) -> None:
    now = datetime.now(UTC)
    with database.writing() as session:
        run, staged = begin_run(
            session, "https://shop.invalid/", "admin", own_identity(), now, now - timedelta(hours=1)
        )
    scrape = BackgroundScrape(KIND, run, make_settings(tmp_path), database, staged)
    listing = ListingRead(
        url="https://shop.invalid/", page_number=1, pages_total=3, first_position=0, product_urls=()
    )
    for event in (Idle(), listing, Idle(), Idle()):
        scrape._handle(event)
    assert (scrape.result.pages_done, scrape.result.pages_total) == (1, 3)
