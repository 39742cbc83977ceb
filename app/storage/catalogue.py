"""Rows of `livros` and `catalogo`."""

from collections.abc import Iterable, Iterator
from dataclasses import fields
from datetime import datetime
from decimal import Decimal
from functools import cache
from typing import Any

from sqlalchemy import Select, bindparam, delete, func, select, update
from sqlalchemy.orm import InstrumentedAttribute, Session

from app.core.book_columns import BookColumns
from app.core.catalogue import Book, Catalogue, Publication
from app.core.scraping import Difference, StoredBook
from app.storage import history, stock
from app.storage.batches import ROWS_AT_ONCE, read_batches, write_rows
from app.storage.models import ActiveModelRow, BookRow, CatalogueRow, MovementRow
from scraper.book import ScrapedBook

DEMONSTRATION = "demonstracao"
SCRAPED = "scraping"
IMPORTED = "importacao"

_BOOK_COLUMNS = tuple(getattr(BookRow, field.name) for field in fields(Book))
_COLUMNS = len(_BOOK_COLUMNS)
_DETAIL_COLUMNS = (BookRow.description, BookRow.upc, BookRow.source_url)
MAX_DETAILED_BOOKS = 2_000
MAX_DESCRIPTION_CHARS = 4_000_000
"""Up to these, a snapshot has its books' descriptions, which are then served as the rest: without the database."""
_BOOK_TOO_MANY = select(BookRow.id).order_by(BookRow.id).offset(MAX_DETAILED_BOOKS).limit(1)
_LISTED = BookRow.listed.is_(True)
_PAGE_NAMES = tuple("source_url" if field.name == "url" else field.name for field in fields(ScrapedBook))
_PAGE_COLUMNS = tuple(getattr(BookRow, name) for name in _PAGE_NAMES)
_WRITTEN_COLUMNS = ("id", "listed", "short", *_PAGE_NAMES)
_PUBLICATION = select(
    CatalogueRow.version,
    CatalogueRow.published_at,
    CatalogueRow.origin,
    CatalogueRow.source_url,
    CatalogueRow.stock_version,
    func.coalesce(select(ActiveModelRow.version).where(ActiveModelRow.id == 1).scalar_subquery(), 0),
).where(CatalogueRow.id == 1)
_LOCKED_PUBLICATION = _PUBLICATION.with_for_update()
_LAST_MOVEMENT = select(func.coalesce(func.max(MovementRow.id), 0))
_MOVED_STOCKS = (
    select(BookRow.id, BookRow.stock, MovementRow.id)
    .join(MovementRow, MovementRow.book_id == BookRow.id)
    .where(MovementRow.id > bindparam("after"), _LISTED)
)
_BATCH_SIZE = 500
"""It stays under SQLite's 32,766 and PostgreSQL's 65,535 parameters."""


def load_publication(session: Session, *, lock: bool = False) -> Publication | None:
    """Return what is published now, None before the first publication; with `lock`, until the transaction ends."""
    row = session.connection().execute(_LOCKED_PUBLICATION if lock else _PUBLICATION).one()
    return None if row.versao == 0 else Publication(*row)


def load_stocks(session: Session) -> dict[int, int]:
    """Return the stock of each book on sale, by id."""
    return dict(_all_rows(session, (BookRow.id, BookRow.stock), listed=True))


def load_last_movement(session: Session) -> int:
    """Return the id of the newest movement in the ledger, 0 for none."""
    return session.connection().execute(_LAST_MOVEMENT).scalar_one()


def load_moved_stocks(session: Session, after: int) -> tuple[dict[int, int], int]:
    """Return the stocks, by id, of the books on sale with a movement newer than `after`, and the newest of these.

    For SQLite alone, which gives out the ids of movements in the order of their commits.
    """
    rows = session.connection().execute(_MOVED_STOCKS, {"after": after}).all()
    return {book_id: stock for book_id, stock, _ in rows}, max((row[2] for row in rows), default=after)


def lock_books(session: Session) -> None:
    """Keep all stocks as they are until the transaction ends; orders lock books in the same order."""
    locked = select(BookRow.id).order_by(BookRow.id).with_for_update().subquery()
    session.execute(select(func.count()).select_from(locked))


def load_catalogue(session: Session, publication: Publication) -> Catalogue:
    """Return the books on sale, which `publication` of the same transaction describes."""
    columns = BookColumns()
    is_small = session.connection().execute(_BOOK_TOO_MANY).first() is None
    rows = _rows_above((*_BOOK_COLUMNS, *_DETAIL_COLUMNS) if is_small else _BOOK_COLUMNS, listed=True)
    for lists in read_batches(session, rows, {}):
        (ids, titles, categories, incl, excl, *others), details = lists[:_COLUMNS], lists[_COLUMNS:]
        # A price that comes as a float has two decimals, so that the nearest penny is the right one.
        pence = ([round(price * 100) for price in prices] for prices in (incl, excl))
        columns.extend(ids, titles, categories, *pence, *others)
        columns.details.extend(zip(*details, strict=True))
    if sum(len(description) for description, *_ in columns.details) > MAX_DESCRIPTION_CHARS:
        columns.details.clear()
    catalogue = Catalogue(columns, publication)
    catalogue.base.prepare()
    return catalogue


def load_texts(session: Session) -> Iterator[dict[str, Any]]:
    """Yield the texts of every book on sale, in the order of their ids, a batch in memory at a time."""
    columns = (BookRow.id, BookRow.title, BookRow.category, BookRow.description)
    for row in _all_rows(session, columns, listed=True):
        yield dict(zip(("id", "titulo", "categoria", "descricao"), row, strict=True))


def load_stored_books(session: Session) -> list[StoredBook]:
    """Return every book that was ever on sale."""
    rows = _all_rows(session, (BookRow.id, BookRow.listed, BookRow.short, *_PAGE_COLUMNS))
    return [StoredBook(book_id, bool(listed), _page(*page), short) for book_id, listed, short, *page in rows]


def clear_books(session: Session, now: datetime) -> None:
    """Forget every book, ids included, as is right only for the demonstration catalogue; the past keeps it."""
    history.keep_all_texts(session)
    stock.withdraw_all(session, now)
    session.execute(delete(BookRow))


def apply_difference(
    session: Session, difference: Difference, now: datetime, reason: stock.Reason = stock.Reason.COUNTED
) -> None:
    """Write the rows that `difference` changes, and their movements of stock, with `reason`.

    `record_publication` completes it.
    """
    history.keep_texts(session, difference.superseded())
    returned = (change.after for change in difference.returned)
    written = [*difference.added, *returned, *difference.changed().values()]
    before = dict(_all_rows(session, (BookRow.id, BookRow.stock))) if written else {}
    changes = {book.id: book.page.stock - before.get(book.id, 0) for book in written}
    moved = [(book_id, change) for book_id, change in changes.items() if change]
    write_rows(session, MovementRow, ("book_id", "quantity"), moved, {"reason": reason, "at": now})
    write_rows(session, BookRow, _WRITTEN_COLUMNS, (_row(book) for book in written), replace=True)
    removed = [book.id for book in difference.removed]
    for first in range(0, len(removed), _BATCH_SIZE):
        session.execute(
            update(BookRow).where(BookRow.id.in_(removed[first : first + _BATCH_SIZE])).values(listed=False)
        )


def record_publication(
    session: Session, now: datetime, origin: str, source_url: str, difference: Difference
) -> Publication:
    """Give the present rows of `livros` the next version, and remember what `difference` and sales changed of them.

    No stock may change meanwhile: see `lock_books`.
    """
    before = load_publication(session, lock=True)
    session.execute(
        update(CatalogueRow)
        .where(CatalogueRow.id == 1)
        .values(version=CatalogueRow.version + 1, published_at=now, origin=origin, source_url=source_url)
    )
    publication = Publication(*session.connection().execute(_PUBLICATION).one())
    first_added = min((book.id for book in difference.added), default=None)
    history.record_changes(session, publication, load_last_movement(session), first_added)
    if before is not None and before.origin == DEMONSTRATION:
        history.record_deleted(session, publication)
    return publication


def as_listed(books: Iterable[ScrapedBook]) -> tuple[StoredBook, ...]:
    """Return `books` with the ids from 0 on, as in an empty shop."""
    return tuple(StoredBook(place, True, book) for place, book in enumerate(books))


def _all_rows(
    session: Session, columns: tuple[InstrumentedAttribute[Any], ...], *, listed: bool = False
) -> Iterator[tuple[Any, ...]]:
    """Yield the rows in the order of their ids, as `read_batches` does, row by row."""
    for batch in read_batches(session, _rows_above(columns, listed=listed), {}):
        yield from zip(*batch, strict=True)


@cache
def _rows_above(columns: tuple[InstrumentedAttribute[Any], ...], *, listed: bool) -> Select[Any]:
    """Select a batch of `livros`, as `read_batches` wants it."""
    rows = select(*columns).where(BookRow.id > bindparam("after")).order_by(BookRow.id).limit(ROWS_AT_ONCE)
    return rows.where(_LISTED) if listed else rows


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
