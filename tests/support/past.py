"""Shops with a past, and what a client sees of it."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from flask.testing import FlaskClient
from sqlalchemy import update

from app.shop import Shop
from app.storage.models import CatalogueRow, PublicationRow
from scraper.book import ScrapedBook
from tests.support.books import make_scraped

CHANGES = "/api/v1/changes"
FIRST_DAY = datetime(2026, 1, 1, 12, tzinfo=UTC)


def date_publication(shop: Shop, at: datetime) -> int:
    """Let the present catalogue have been published at `at`, and return its version."""
    version = shop.catalogue.refresh().publication.version
    with shop.database.writing() as session:
        session.execute(
            update(PublicationRow).where(PublicationRow.version == version).values(published_at=at)
        )
        session.execute(update(CatalogueRow).values(published_at=at))
    shop.catalogue.refresh()
    return version


def random_catalogues(count: int, seed: int) -> Iterator[list[ScrapedBook]]:
    """Yield `count` catalogues, each a little different from the one before, of up to 25 books."""
    chance = random.Random(seed)
    pool = [make_scraped(f"b{number}", category=f"C{number % 3}", price="5.00") for number in range(25)]
    for _ in range(count):
        pool = [_moved(book, chance) for book in pool]
        yield [book for book in pool if chance.random() < 0.8]


def _moved(book: ScrapedBook, chance: random.Random) -> ScrapedBook:
    if chance.random() < 0.3:
        price = book.price_incl_tax + Decimal(chance.randint(-300, 300)) / 100
        book = replace(book, price_incl_tax=max(price, book.price_excl_tax))
    if chance.random() < 0.3:
        book = replace(book, stock=chance.randint(0, 30))
    if chance.random() < 0.1:
        book = replace(book, title=f"Título {chance.randint(0, 99)}", rating=chance.randint(1, 5))
    if chance.random() < 0.1:
        book = replace(book, category=f"C{chance.randint(0, 3)}")
    return book


Saved = Sequence[tuple[int, datetime, dict[int, dict[str, Any]]]]
"""Each version with its time and its books by id, as they were served then."""


def save(client: FlaskClient, shop: Shop, at: datetime) -> tuple[int, datetime, dict[int, dict[str, Any]]]:
    """Return the present catalogue, as published at `at`, for `Saved`."""
    version = date_publication(shop, at)
    books = client.get("/api/v1/books/search").get_json()
    return version, at, {book["id"]: book for book in books}


def expected_changes(saved: Saved) -> list[dict[str, Any]]:
    """Return what `/changes` must list of `saved`, by comparing each catalogue with the one before."""
    changes: list[dict[str, Any]] = []
    last: dict[int, dict[str, Any]] = {}
    listed: set[int] = set()
    for version, at, books in saved:
        of_version = []
        for book_id in books.keys() | listed:
            before, after = last.get(book_id), books.get(book_id)
            for kind, values in _kinds(before, after, listed=book_id in listed):
                shown: Any = after or before
                of_version.append(
                    {
                        "versao": version,
                        "observado_em": f"{at:%Y-%m-%dT%H:%M:%S}.000Z",
                        "id": book_id,
                        "titulo": shown["titulo"],
                        "categoria": shown["categoria"],
                        "tipo": kind,
                        "antes": values[0],
                        "depois": values[1],
                    }
                )
        of_version.sort(key=lambda change: -change["id"])
        changes = of_version + changes
        last |= books
        listed = set(books)
    return changes


def _kinds(before: Any, after: Any, *, listed: bool) -> Iterator[tuple[str, tuple[Any, Any]]]:
    """Yield the kinds of change of a book, in the order in which they are listed, with what it had."""
    price, stock = "preco_com_taxa", "disponibilidade"
    if before is None:
        yield "adicionado", (None, after[price])
        return
    if after is None:
        yield "removido", (before[price], None)
        return
    if not listed:
        yield "voltou", (before[price], after[price])
    if before[price] != after[price]:
        yield "preco", (before[price], after[price])
    if before[stock] != after[stock]:
        yield "estoque", (before[stock], after[stock])
    edited = [key for key in ("titulo", "categoria", "rating", "url_imagem") if before[key] != after[key]]
    if edited:
        yield "texto", ({key: before[key] for key in edited}, {key: after[key] for key in edited})


def walk_changes(
    client: FlaskClient, between: Callable[[], object] = lambda: None, **query: Any
) -> list[dict[str, Any]]:
    """Return the changes on all pages; `between` is called before each but the first."""
    found: list[dict[str, Any]] = []
    response = client.get(CHANGES, query_string=query)
    while True:
        assert response.status_code == 200, response.text
        found += response.get_json()
        link = re.fullmatch(r'<([^>]*)>; rel="next"', response.headers.get("Link", ""))
        if link is None:
            return found
        between()
        assert link[1] != response.request.full_path, "a page that leads to itself"
        response = client.get(link[1])


def day(number: int) -> datetime:
    return FIRST_DAY + timedelta(days=number)
