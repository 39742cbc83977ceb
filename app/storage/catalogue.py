"""Rows of `livros` and `catalogo`."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import fields
from datetime import datetime
from decimal import Decimal
from operator import itemgetter
from typing import Any

import orjson
from sqlalchemy import ColumnElement, Text, bindparam, cast, delete, func, select, update
from sqlalchemy.orm import InstrumentedAttribute, Session

from app.core.book_columns import BookColumns
from app.core.catalogue import Book, Catalogue, Publication
from app.core.scraping import Difference, StoredBook
from app.storage import stock
from app.storage.batches import write_rows
from app.storage.models import BookRow, CatalogueRow, MovementRow
from scraper.book import ScrapedBook

DEMONSTRATION = "demonstracao"
SCRAPED = "scraping"

_BOOK_COLUMNS = tuple(getattr(BookRow, field.name) for field in fields(Book))
_LISTED = BookRow.listed.is_(True)
_PAGE_NAMES = tuple("source_url" if field.name == "url" else field.name for field in fields(ScrapedBook))
_PAGE_COLUMNS = tuple(getattr(BookRow, name) for name in _PAGE_NAMES)
_WRITTEN_COLUMNS = ("id", "listed", "short", *_PAGE_NAMES)
_ROWS_AT_ONCE = 1_000
_PUBLICATION = select(
    CatalogueRow.version,
    CatalogueRow.published_at,
    CatalogueRow.origin,
    CatalogueRow.source_url,
    CatalogueRow.stock_version,
).where(CatalogueRow.id == 1)
_LOCKED_PUBLICATION = _PUBLICATION.with_for_update()
_LAST_MOVEMENT = select(func.coalesce(func.max(MovementRow.id), 0))
_MOVED_BOOKS = select(MovementRow.book_id).where(MovementRow.id > bindparam("movement"))
_STOCKS_MOVED_AFTER = select(BookRow.id, BookRow.stock).where(BookRow.id.in_(_MOVED_BOOKS), _LISTED)
_BATCH_SIZE = 500
"""It stays under SQLite's 32,766 and PostgreSQL's 65,535 parameters."""


def load_publication(session: Session, *, lock: bool = False) -> Publication | None:
    """Return what is published now, None before the first publication; with `lock`, until the transaction ends."""
    row = session.connection().execute(_LOCKED_PUBLICATION if lock else _PUBLICATION).one()
    return None if row.versao == 0 else Publication(*row)


def load_stocks(session: Session) -> dict[int, int]:
    """Return the stock of each book on sale, by id."""
    return dict(_all_rows(session, (BookRow.id, BookRow.stock), _LISTED))


def load_last_movement(session: Session) -> int:
    """Return the id of the newest movement in the ledger, 0 for none."""
    return session.connection().execute(_LAST_MOVEMENT).scalar_one()


def load_stocks_moved_after(session: Session, movement: int) -> dict[int, int]:
    """Return the stock, by id, of each book on sale that has a movement newer than `movement`.

    For SQLite alone, which gives out the ids of movements in the order of their commits.
    """
    return dict(session.connection().execute(_STOCKS_MOVED_AFTER, {"movement": movement}).all())


def lock_books(session: Session) -> None:
    """Keep all stocks as they are until the transaction ends; orders lock books in the same order."""
    locked = select(BookRow.id).order_by(BookRow.id).with_for_update().subquery()
    session.execute(select(func.count()).select_from(locked))


def load_catalogue(session: Session, publication: Publication) -> Catalogue:
    """Return the books on sale, which `publication` of the same transaction describes."""
    columns = BookColumns()
    for book_id, title, category, incl, excl, *others in _all_rows(session, _BOOK_COLUMNS, _LISTED):
        # A price that comes as a float has two decimals, so that the nearest penny is the right one.
        columns.append(book_id, title, category, round(incl * 100), round(excl * 100), *others)
    return Catalogue(columns, publication)


def load_stored_books(session: Session) -> list[StoredBook]:
    """Return every book that was ever on sale."""
    rows = _all_rows(session, (BookRow.id, BookRow.listed, BookRow.short, *_PAGE_COLUMNS))
    return [StoredBook(book_id, bool(listed), _page(*page), short) for book_id, listed, short, *page in rows]


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
    moved = [(book_id, change) for book_id, change in changes.items() if change]
    write_rows(session, MovementRow, ("book_id", "quantity"), moved, {"reason": reason, "at": now})
    write_rows(session, BookRow, _WRITTEN_COLUMNS, (_row(book) for book in written), replace=True)
    removed = [book.id for book in difference.removed]
    for first in range(0, len(removed), _BATCH_SIZE):
        session.execute(
            update(BookRow).where(BookRow.id.in_(removed[first : first + _BATCH_SIZE])).values(listed=False)
        )


def record_publication(session: Session, now: datetime, origin: str, source_url: str) -> Publication:
    """Give the present rows of `livros` the next version."""
    session.execute(
        update(CatalogueRow)
        .where(CatalogueRow.id == 1)
        .values(version=CatalogueRow.version + 1, published_at=now, origin=origin, source_url=source_url)
    )
    return Publication(*session.connection().execute(_PUBLICATION).one())


def as_listed(books: Iterable[ScrapedBook]) -> tuple[StoredBook, ...]:
    """Return `books` with the ids from 0 on, as in an empty shop."""
    return tuple(StoredBook(place, True, book) for place, book in enumerate(books))


def _all_rows(
    session: Session, columns: Sequence[InstrumentedAttribute[Any]], *where: ColumnElement[bool]
) -> Iterator[list[Any]]:
    """Yield the rows in the order of their ids, where `columns` begin with the id; prices are floats.

    They are fetched as JSON texts of _ROWS_AT_ONCE each. SQLite's driver releases the interpreter lock for each row
    and has to win it back: with busy readers in the same process, a thousand rows fetched one by one took seconds,
    with the write lock held. Without a limit, parsing the text would hold up the readers in turn.
    """
    after = -1
    while True:
        batch = select(*columns).where(BookRow.id > after, *where).order_by(BookRow.id).limit(_ROWS_AT_ONCE)
        row = batch.subquery().c
        if session.get_bind().dialect.name == "sqlite":
            together: ColumnElement[str] = func.json_group_array(func.json_array(*row), type_=Text)
        else:
            together = cast(func.json_agg(func.json_build_array(*row)), Text)
        rows = orjson.loads(session.scalar(select(together)) or "[]")
        yield from sorted(rows, key=itemgetter(0))  # an aggregate promises no order
        if len(rows) < _ROWS_AT_ONCE:
            return
        after = max(row[0] for row in rows)


def _page(
    url: str, upc: str, title: str, category: str, price_excl_tax: float, price_incl_tax: float, *others: Any
) -> ScrapedBook:
    prices = Decimal(f"{price_excl_tax:.2f}"), Decimal(f"{price_incl_tax:.2f}")
    return ScrapedBook(url, upc, title, category, *prices, *others)


def _row(book: StoredBook) -> tuple[Any, ...]:
    page = book.page
    prices = float(page.price_excl_tax), float(page.price_incl_tax)
    return (
        *(book.id, book.listed, book.short, page.url, page.upc, page.title, page.category, *prices),
        *(page.stock, page.rating, page.image_url, page.description),
    )
