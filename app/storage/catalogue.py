"""Rows of `livros` and `catalogo`, and what the rules make of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

import orjson
from sqlalchemy import ColumnElement, Text, cast, delete, func, select, update
from sqlalchemy.orm import InstrumentedAttribute, Session

from app.core.catalogue import Book, Catalogue, Publication
from app.core.scraping import Difference, StoredBook
from app.storage import stock
from app.storage.database import upsert_into
from app.storage.models import BookRow, CatalogueRow
from scraper.book import ScrapedBook

DEMONSTRATION = "demonstracao"
SCRAPED = "scraping"

_SHOWN = (
    BookRow.id,
    BookRow.title,
    BookRow.category,
    BookRow.price_incl_tax,
    BookRow.price_excl_tax,
    BookRow.stock,
    BookRow.rating,
    BookRow.image_url,
)
_ROWS_AT_ONCE = 500  # times 13 columns stays under SQLite's 32,766 and PostgreSQL's 65,535 parameters


def load_publication(session: Session, *, lock: bool = False) -> Publication | None:
    """What is published now; None before the first publication.

    With `lock`, nobody else publishes until the transaction ends.
    """
    row = session.get_one(CatalogueRow, 1, with_for_update=lock)
    if row.version == 0:
        return None
    return _publication(row)


def load_stocks(session: Session) -> dict[int, int]:
    """What can be ordered now of each book on sale, by id."""
    return dict(_all_rows(session, (BookRow.id, BookRow.stock), BookRow.listed.is_(True)))


def lock_books(session: Session) -> None:
    """Let nobody take or give back copies until the transaction ends; orders lock in the same order."""
    locked = select(BookRow.id).order_by(BookRow.id).with_for_update().subquery()
    session.execute(select(func.count()).select_from(locked))


def load_catalogue(session: Session, publication: Publication) -> Catalogue:
    """Return the books on sale, which `publication` of the same transaction describes."""
    rows = _all_rows(session, _SHOWN, BookRow.listed.is_(True))
    return Catalogue(
        (
            Book(
                id=book_id,
                title=title,
                category=category,
                price_incl_tax=_pounds(incl),
                price_excl_tax=_pounds(excl),
                stock=copies,
                rating=rating,
                image_url=image_url,
            )
            for book_id, title, category, incl, excl, copies, rating, image_url in rows
        ),
        publication,
    )


def load_stored_books(session: Session) -> list[StoredBook]:
    """Every book that was ever on sale."""
    columns = (*_SHOWN, BookRow.source_url, BookRow.upc, BookRow.description, BookRow.listed, BookRow.short)
    rows = _all_rows(session, columns)
    return [_stored_book(*row) for row in rows]


def clear_books(session: Session, now: datetime) -> None:
    """Forget every book, ids included; only ever right for the demonstration catalogue."""
    stock.withdraw_all(session, now)
    session.execute(delete(BookRow))


def apply_difference(
    session: Session, difference: Difference, now: datetime, reason: stock.Reason = stock.Reason.COUNTED
) -> None:
    """Write what `difference` changes, and nothing else; the ledger follows, with `reason`."""
    written = [*difference.added, *difference.returned, *difference.changed().values()]
    before = dict(_all_rows(session, (BookRow.id, BookRow.stock)))
    changes = {book.id: book.page.stock - before.get(book.id, 0) for book in written}
    stock.record_movements(session, changes, reason, now)
    for first in range(0, len(written), _ROWS_AT_ONCE):
        _upsert(session, [_columns(book) for book in written[first : first + _ROWS_AT_ONCE]])
    removed = [book.id for book in difference.removed]
    for first in range(0, len(removed), _ROWS_AT_ONCE):
        session.execute(
            update(BookRow).where(BookRow.id.in_(removed[first : first + _ROWS_AT_ONCE])).values(listed=False)
        )


def record_publication(session: Session, now: datetime, origin: str, source_url: str) -> Publication:
    """Give what the rows of `livros` now are the next version."""
    row = session.get_one(CatalogueRow, 1, with_for_update=True)
    row.version += 1
    row.published_at, row.origin, row.source_url = now, origin, source_url
    return _publication(row)


def as_listed(books: Iterable[ScrapedBook]) -> tuple[StoredBook, ...]:
    """`books` with the ids from 0 on, as in an empty shop."""
    return tuple(StoredBook(place, True, book) for place, book in enumerate(books))


def _all_rows(
    session: Session, columns: Sequence[InstrumentedAttribute[Any]], *where: ColumnElement[bool]
) -> list[list[Any]]:
    """All the rows at once, as one JSON text.

    SQLite's driver lets go of the interpreter lock for each row and has to win it back: with busy readers
    in the same process, a thousand rows fetched one by one took seconds, with the write lock held.
    """
    if session.get_bind().dialect.name == "sqlite":
        together: ColumnElement[str] = func.json_group_array(func.json_array(*columns), type_=Text)
    else:
        together = cast(func.json_agg(func.json_build_array(*columns)), Text)
    text = session.scalar(select(together).where(*where))
    rows: list[list[Any]] = orjson.loads(text or "[]")
    return rows


def _stored_book(
    book_id: int, title: str, category: str, incl: float, excl: float, copies: int, rating: int, image_url: str,
    url: str, upc: str, description: str, listed: bool, short: int,
) -> StoredBook:  # fmt: skip
    page = ScrapedBook(
        url=url,
        upc=upc,
        title=title,
        category=category,
        price_excl_tax=_pounds(excl),
        price_incl_tax=_pounds(incl),
        stock=copies,
        rating=rating,
        image_url=image_url,
        description=description,
    )
    return StoredBook(book_id, bool(listed), page, short)


def _upsert(session: Session, rows: list[dict[str, Any]]) -> None:
    """One statement for many rows: executed row by row, it would wait for the interpreter lock at each."""
    statement = upsert_into(session, BookRow).values(rows)
    replaced = {column.name: column for column in statement.excluded if column.name != "id"}
    session.execute(statement.on_conflict_do_update(index_elements=["id"], set_=replaced))


def _publication(row: CatalogueRow) -> Publication:
    return Publication(row.version, row.published_at, row.origin, row.source_url, row.stock_version)


def _pounds(number: float) -> Decimal:
    return Decimal(f"{number:.2f}")


def _columns(book: StoredBook) -> dict[str, Any]:
    page = book.page
    return {
        "id": book.id,
        "listed": book.listed,
        "source_url": page.url,
        "upc": page.upc,
        "title": page.title,
        "category": page.category,
        "price_excl_tax": page.price_excl_tax,
        "price_incl_tax": page.price_incl_tax,
        "stock": page.stock,
        "short": book.short,
        "rating": page.rating,
        "image_url": page.image_url,
        "description": page.description,
    }
