"""Rows of `livros` and `catalogo`."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, fields
from datetime import datetime
from decimal import Decimal
from typing import Any

import orjson
from sqlalchemy import ColumnElement, Text, cast, delete, func, select, update
from sqlalchemy.orm import InstrumentedAttribute, Session

from app.core.catalogue import Book, Catalogue, Publication
from app.core.scraping import Difference, StoredBook
from app.storage import stock
from app.storage.columns import Money
from app.storage.database import upsert_into
from app.storage.models import BookRow, CatalogueRow
from scraper.book import ScrapedBook

DEMONSTRATION = "demonstracao"
SCRAPED = "scraping"

_BOOK_COLUMNS = tuple(getattr(BookRow, field.name) for field in fields(Book))
_PAGE_COLUMNS = tuple(
    getattr(BookRow, "source_url" if field.name == "url" else field.name) for field in fields(ScrapedBook)
)
_BATCH_SIZE = 500
"""Times 13 columns, it stays under SQLite's 32,766 and PostgreSQL's 65,535 parameters."""


def load_publication(session: Session, *, lock: bool = False) -> Publication | None:
    """Return what is published now, None before the first publication; with `lock`, until the transaction ends."""
    row = session.get_one(CatalogueRow, 1, with_for_update=lock)
    return None if row.version == 0 else _publication(row)


def load_stocks(session: Session) -> dict[int, int]:
    """Return the stock of each book on sale, by id."""
    return dict(_all_rows(session, (BookRow.id, BookRow.stock), BookRow.listed.is_(True)))


def lock_books(session: Session) -> None:
    """Keep all stocks as they are until the transaction ends; orders lock books in the same order."""
    locked = select(BookRow.id).order_by(BookRow.id).with_for_update().subquery()
    session.execute(select(func.count()).select_from(locked))


def load_catalogue(session: Session, publication: Publication) -> Catalogue:
    """Return the books on sale, which `publication` of the same transaction describes."""
    rows = _all_rows(session, _BOOK_COLUMNS, BookRow.listed.is_(True))
    return Catalogue((Book(*row) for row in rows), publication)


def load_stored_books(session: Session) -> list[StoredBook]:
    """Return every book that was ever on sale."""
    rows = _all_rows(session, (BookRow.id, BookRow.listed, BookRow.short, *_PAGE_COLUMNS))
    return [
        StoredBook(book_id, bool(listed), ScrapedBook(*page), short) for book_id, listed, short, *page in rows
    ]


def clear_books(session: Session, now: datetime) -> None:
    """Forget every book, ids included, as is right only for the demonstration catalogue."""
    stock.withdraw_all(session, now)
    session.execute(delete(BookRow))


def apply_difference(
    session: Session, difference: Difference, now: datetime, reason: stock.Reason = stock.Reason.COUNTED
) -> None:
    """Write the rows that `difference` changes, and their movements of stock, with `reason`."""
    written = [*difference.added, *difference.returned, *difference.changed().values()]
    before = dict(_all_rows(session, (BookRow.id, BookRow.stock)))
    changes = {book.id: book.page.stock - before.get(book.id, 0) for book in written}
    stock.record_movements(session, changes, reason, now)
    for first in range(0, len(written), _BATCH_SIZE):
        _upsert(session, [_columns(book) for book in written[first : first + _BATCH_SIZE]])
    removed = [book.id for book in difference.removed]
    for first in range(0, len(removed), _BATCH_SIZE):
        session.execute(
            update(BookRow).where(BookRow.id.in_(removed[first : first + _BATCH_SIZE])).values(listed=False)
        )


def record_publication(session: Session, now: datetime, origin: str, source_url: str) -> Publication:
    """Give the present rows of `livros` the next version."""
    row = session.get_one(CatalogueRow, 1, with_for_update=True)
    row.version += 1
    row.published_at, row.origin, row.source_url = now, origin, source_url
    return _publication(row)


def as_listed(books: Iterable[ScrapedBook]) -> tuple[StoredBook, ...]:
    """Return `books` with the ids from 0 on, as in an empty shop."""
    return tuple(StoredBook(place, True, book) for place, book in enumerate(books))


def _all_rows(
    session: Session, columns: Sequence[InstrumentedAttribute[Any]], *where: ColumnElement[bool]
) -> list[list[Any]]:
    """Return all rows, fetched as one JSON text.

    SQLite's driver releases the interpreter lock for each row and has to win it back: with busy readers
    in the same process, a thousand rows fetched one by one took seconds, with the write lock held.
    """
    if session.get_bind().dialect.name == "sqlite":
        together: ColumnElement[str] = func.json_group_array(func.json_array(*columns), type_=Text)
    else:
        together = cast(func.json_agg(func.json_build_array(*columns)), Text)
    text = session.scalar(select(together).where(*where))
    rows: list[list[Any]] = orjson.loads(text or "[]")
    for place in (place for place, column in enumerate(columns) if isinstance(column.type, Money)):
        for row in rows:
            row[place] = Decimal(f"{row[place]:.2f}")
    return rows


def _upsert(session: Session, rows: list[dict[str, Any]]) -> None:
    """Write many rows in one statement: one by one, each would wait for the interpreter lock."""
    statement = upsert_into(session, BookRow).values(rows)
    replaced = {column.name: column for column in statement.excluded if column.name != "id"}
    session.execute(statement.on_conflict_do_update(index_elements=["id"], set_=replaced))


def _publication(row: CatalogueRow) -> Publication:
    return Publication(row.version, row.published_at, row.origin, row.source_url, row.stock_version)


def _columns(book: StoredBook) -> dict[str, Any]:
    values = asdict(book.page)
    return {
        "id": book.id,
        "listed": book.listed,
        "short": book.short,
        "source_url": values.pop("url"),
        **values,
    }
