"""Rows of `livros` and `catalogo`, and what the rules make of them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import delete, insert, select, update
from sqlalchemy.orm import Session

from app.core.catalogue import Book, Catalogue, Publication
from app.core.scraping import Difference, StoredBook
from app.storage.tables import BookRow, CatalogueRow
from scraper.book import ScrapedBook

DEMONSTRATION = "demonstracao"
SCRAPED = "scraping"


def load_publication(session: Session, *, lock: bool = False) -> Publication | None:
    """What is published now; None before the first publication.

    With `lock`, nobody else publishes until the transaction ends.
    """
    row = session.get_one(CatalogueRow, 1, with_for_update=lock)
    if row.version == 0:
        return None
    return Publication(row.version, row.published_at, row.origin, row.source_url)


def load_catalogue(session: Session) -> Catalogue | None:
    """The books on sale, and the version they are, as one transaction sees them."""
    publication = load_publication(session)
    if publication is None:
        return None
    rows = session.execute(
        select(
            BookRow.id,
            BookRow.title,
            BookRow.category,
            BookRow.price_incl_tax,
            BookRow.price_excl_tax,
            BookRow.stock,
            BookRow.rating,
            BookRow.image_url,
        ).where(BookRow.listed)
    )
    return Catalogue((Book(*row) for row in rows), publication)


def load_stored_books(session: Session) -> list[StoredBook]:
    """Every book that was ever on sale."""
    rows = session.execute(
        select(
            BookRow.id,
            BookRow.listed,
            BookRow.source_url,
            BookRow.upc,
            BookRow.title,
            BookRow.category,
            BookRow.price_excl_tax,
            BookRow.price_incl_tax,
            BookRow.stock,
            BookRow.rating,
            BookRow.image_url,
            BookRow.description,
        )
    )
    return [StoredBook(book_id, listed, ScrapedBook(*shown)) for book_id, listed, *shown in rows]


def clear_books(session: Session) -> None:
    """Forget every book, ids included; only ever right for the demonstration catalogue."""
    session.execute(delete(BookRow))


def apply_difference(session: Session, difference: Difference) -> None:
    """Write what `difference` changes, and nothing else."""
    if difference.added:
        session.execute(insert(BookRow), [_columns(book) for book in difference.added])
    changed = [*difference.returned, *difference.changed().values()]
    if changed:
        session.execute(update(BookRow), [_columns(book) for book in changed])
    if difference.removed:
        session.execute(update(BookRow), [{"id": book.id, "listed": False} for book in difference.removed])


def record_publication(session: Session, now: datetime, origin: str, source_url: str) -> Publication:
    """Give what the rows of `livros` now are the next version."""
    row = session.get_one(CatalogueRow, 1, with_for_update=True)
    row.version += 1
    row.published_at, row.origin, row.source_url = now, origin, source_url
    return Publication(row.version, now, origin, source_url)


def as_listed(books: Iterable[ScrapedBook]) -> tuple[StoredBook, ...]:
    """`books` with the ids from 0 on, as in an empty shop."""
    return tuple(StoredBook(place, True, book) for place, book in enumerate(books))


def _columns(book: StoredBook) -> dict[str, Any]:
    shown = book.shown
    return {
        "id": book.id,
        "listed": book.listed,
        "source_url": shown.url,
        "upc": shown.upc,
        "title": shown.title,
        "category": shown.category,
        "price_excl_tax": shown.price_excl_tax,
        "price_incl_tax": shown.price_incl_tax,
        "stock": shown.stock,
        "rating": shown.rating,
        "image_url": shown.image_url,
        "description": shown.description,
    }
