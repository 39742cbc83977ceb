from __future__ import annotations

import io
from pathlib import Path

from demo.site.books import make_books
from demo.site.catalogue_csv import BASE_URL, write_catalogue
from demo.site.server import DemoSite
from scraper.crawl import CrawlFinished, ProductRead, crawl
from scraper.csv_file import read_books, write_books
from scraper.options import CrawlOptions

# The path is the repository's, not the module's: a module that wrote elsewhere would go unnoticed.
COMMITTED = Path(__file__).parents[2] / "data" / "catalogo_demo.csv"


def test_the_committed_catalogue_is_the_one_that_the_books_make() -> None:
    fresh = io.StringIO()
    write_catalogue(fresh, make_books())
    assert COMMITTED.read_text(encoding="utf-8") == fresh.getvalue()
    assert COMMITTED.stat().st_size < 1_000_000


def test_scraping_the_demo_site_yields_the_committed_catalogue(tmp_path: Path) -> None:
    # The first 150 have every category and all that is special; every page is rendered and read alike.
    books = make_books()[:150]
    with DemoSite(books) as site:
        events = list(crawl(site.base_url, CrawlOptions()))
        read = sorted(
            (event for event in events if isinstance(event, ProductRead)), key=lambda event: event.position
        )
        write_books(tmp_path / "books.csv", [event.book for event in read])
        scraped = (tmp_path / "books.csv").read_text(encoding="utf-8")
        committed = COMMITTED.read_text(encoding="utf-8").splitlines(keepends=True)
        assert scraped.replace(site.base_url, f"{BASE_URL}/") == "".join(committed[: 1 + len(books)])
        assert isinstance(events[-1], CrawlFinished)


def test_the_scraper_reads_the_committed_catalogue() -> None:
    assert len(read_books(COMMITTED)) == 1000
