"""Books and catalogues for tests, in one line each."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from app.core.catalogue import Book, Catalogue, Publication
from app.core.safety_gate import Limit, Limits
from app.core.scraping import CrawlResult, StoredBook
from scraper.book import ScrapedBook

PUBLICATION = Publication(1, datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC), "scraping", "https://shop.invalid/")
LIMITS = Limits(
    max_failed_share=Limit(Decimal("0.02"), "SCRAPER_MAX_FAILED_SHARE"),
    max_vanished_share=Limit(Decimal("0.20"), "SCRAPER_MAX_VANISHED_SHARE"),
    max_lost_category_share=Limit(Decimal("0.20"), "SCRAPER_MAX_LOST_CATEGORY_SHARE"),
    max_renamed_share=Limit(Decimal("0.20"), "SCRAPER_MAX_RENAMED_SHARE"),
    max_sold_out_share=Limit(Decimal("0.30"), "SCRAPER_MAX_SOLD_OUT_SHARE"),
    max_absurd_price_share=Limit(Decimal(0), "SCRAPER_MAX_ABSURD_PRICE_SHARE"),
    max_price=Decimal(1000),
    max_price_factor=Decimal(10),
)
_ANY_SHARE = Limit(Decimal(1), "ANY")
TRUSTING = replace(
    LIMITS,
    max_vanished_share=_ANY_SHARE,
    max_lost_category_share=_ANY_SHARE,
    max_renamed_share=_ANY_SHARE,
    max_sold_out_share=_ANY_SHARE,
)
"""For tests that are not about the gate: any change of the books is believed."""


def make_book(book_id: int = 0, **changes: Any) -> Book:
    price = changes.pop("price", "10.00")
    book = Book(
        book_id, f"Book {book_id}", "Fiction", Decimal(price), Decimal(price), 5, 3, "https://i.invalid/0.jpg"
    )
    return replace(book, **changes)


def make_catalogue(*books: Book) -> Catalogue:
    return Catalogue(books, PUBLICATION)


def make_scraped(name: str = "a", **changes: Any) -> ScrapedBook:
    """The product page of a book called `name`; `price` sets both prices."""
    price = Decimal(changes.pop("price", "10.00"))
    book = ScrapedBook(
        url=f"https://shop.invalid/{name}.html",
        upc=f"upc-{name}",
        title=f"Book {name}",
        category="Fiction",
        price_excl_tax=price,
        price_incl_tax=price,
        stock=5,
        rating=3,
        image_url=f"https://shop.invalid/{name}.jpg",
        description="",
    )
    return replace(book, **changes)


def make_stored(book_id: int, name: str, *, listed: bool = True, **changes: Any) -> StoredBook:
    return StoredBook(book_id, listed, make_scraped(name, **changes))


def make_crawl(
    *books: ScrapedBook, failed: tuple[str, ...] = (), announced: int | None = None
) -> CrawlResult:
    """What a crawl brings that read `books` and failed on the pages of the books called `failed`."""
    return CrawlResult(
        announced=len(books) + len(failed) if announced is None else announced,
        read=dict(enumerate(books)),
        failed={f"https://shop.invalid/{name}.html": "HTTP 500" for name in failed},
    )
