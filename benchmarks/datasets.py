"""Shops of any size, written the way that the product publishes them."""

import random
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from sqlalchemy import insert

from app.core.scraping import Difference
from app.factory import create_app
from app.services.catalogue import publish_crawl
from app.shop import Shop
from app.start import DEMONSTRATION_CSV, prepare
from app.storage import catalogue
from app.storage.models import BookRow, MovementRow
from app.storage.stock import Reason
from scraper.book import ScrapedBook
from scraper.csv_file import read_books
from tests.support.books import LIMITS, make_crawl
from tests.support.shop import make_settings
from tests.support.slips import make_slips

STOCK = 1_000_000
"""Of each book, so that no benchmark sells one out."""
SOURCE_URL = "https://livraria-demo.invalid/"
_PUBLISHED_FIRST = 1_000
_ROWS_AT_ONCE = 20_000


def make_books(count: int) -> list[ScrapedBook]:
    """Return the bundled catalogue, followed by as many made-up books of its words as `count` needs."""
    bundled = read_books(DEMONSTRATION_CSV)
    words = [word for book in bundled for word in book.title.split()]
    source = random.Random(0)
    return [
        replace(
            template := bundled[number % len(bundled)],
            title=template.title if number < len(bundled) else " ".join(source.choices(words, k=4)),
            stock=STOCK,
            upc=f"{template.upc}-{number}",
            url=f"{SOURCE_URL}{number}/index.html",
        )
        for number in range(count)
    ]


def search_paths(books: Sequence[ScrapedBook], count: int, query: str = "") -> list[str]:
    """Return paths of `count` searches for pieces of titles, different in each call."""
    source = random.Random()
    return [
        f"/api/v1/books/search?{urlencode({'titulo': _piece(source.choice(books).title, source)})}{query}"
        for _ in range(count)
    ]


def near_search_paths(books: Sequence[ScrapedBook], count: int, query: str = "") -> list[str]:
    """Return paths of `count` searches for the first words of titles with a slip in them, different in each call."""
    slips = make_slips([book.title for book in books], count, random.randrange(2**32))
    return [f"/api/v1/books/search?{urlencode({'titulo': text})}{query}" for _, text in slips]


def _piece(title: str, source: random.Random) -> str:
    first = source.randrange(max(len(title) - 6, 1))
    return title[first : first + source.randint(6, 12)].strip()


@contextmanager
def open_shop(data_dir: Path) -> Iterator[Shop]:
    """Open the shop in `data_dir`, migrated, for its database; it serves nothing."""
    data_dir.mkdir(parents=True, exist_ok=True)
    app = create_app(make_settings(data_dir))
    prepare(app)
    shop: Shop = app.extensions["shop"]
    try:
        yield shop
    finally:
        shop.stop()


def publish(shop: Shop, books: Sequence[ScrapedBook]) -> float:
    """Publish `books` as a scrape of all their pages does; return the seconds that it took."""
    began = time.perf_counter()
    with shop.database.writing() as session:
        publish_crawl(session, make_crawl(*books), LIMITS, SOURCE_URL)
    return time.perf_counter() - began


def insert_books(shop: Shop, books: Sequence[ScrapedBook]) -> None:
    """Write `books` and their ledger as a publication leaves them; for more of them than one scrape brings."""
    publish(shop, books[:_PUBLISHED_FIRST])
    now = datetime.now(UTC)
    for first in range(_PUBLISHED_FIRST, len(books), _ROWS_AT_ONCE):
        batch = list(enumerate(books[first : first + _ROWS_AT_ONCE], first))
        with shop.database.writing() as session:
            session.execute(insert(BookRow), [_columns(book_id, book) for book_id, book in batch])
            session.execute(
                insert(MovementRow),
                [
                    {"book_id": book_id, "quantity": book.stock, "reason": Reason.COUNTED, "at": now}
                    for book_id, book in batch
                ],
            )
    with shop.database.writing() as session:
        catalogue.record_publication(session, now, catalogue.SCRAPED, SOURCE_URL, Difference())


def _columns(book_id: int, book: ScrapedBook) -> dict[str, Any]:
    values = asdict(book)
    return {**values, "source_url": values.pop("url"), "id": book_id, "listed": True, "short": 0}


def repriced(books: Sequence[ScrapedBook], cents: int) -> list[ScrapedBook]:
    """Return `books` with the price of each tenth higher by `cents`."""
    return [
        replace(book, price_incl_tax=book.price_incl_tax + Decimal(cents) / 100) if number % 10 == 0 else book
        for number, book in enumerate(books)
    ]
