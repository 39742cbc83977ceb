"""Rows of `livros` and `catalogo`."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import fields
from datetime import datetime
from decimal import Decimal
from typing import Any

import orjson
from sqlalchemy import ColumnElement, Text, bindparam, cast, delete, func, select, update
from sqlalchemy.orm import InstrumentedAttribute, Session

from app.core.book_columns import BookColumns
from app.core.catalogue import Book, Catalogue, Publication
from app.core.scraping import Difference, StoredBook
from app.storage import stock
from app.storage.batches import write_rows
from app.storage.models import ActiveModelRow, BookRow, CatalogueRow, MovementRow
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
    return dict(_all_rows(session, (BookRow.id, BookRow.stock), _LISTED))


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
    for ids, titles, categories, incl, excl, *others in _batches(session, _BOOK_COLUMNS, _LISTED):
        # A price that comes as a float has two decimals, so that the nearest penny is the right one.
        pence = ([round(price * 100) for price in prices] for prices in (incl, excl))
        columns.extend(ids, titles, categories, *pence, *others)
    return Catalogue(columns, publication)


def load_texts(session: Session) -> Iterator[dict[str, Any]]:
    """Yield the texts of every book on sale, in the order of their ids, a batch in memory at a time."""
    columns = (BookRow.id, BookRow.title, BookRow.category, BookRow.description)
    for row in _all_rows(session, columns, _LISTED):
        yield dict(zip(("id", "titulo", "categoria", "descricao"), row, strict=True))


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
) -> Iterator[tuple[Any, ...]]:
    """Yield the rows in the order of their ids; the rest is as in `_batches`."""
    for batch in _batches(session, columns, *where):
        yield from zip(*batch, strict=True)


def _batches(
    session: Session, columns: Sequence[InstrumentedAttribute[Any]], *where: ColumnElement[bool]
) -> Iterator[list[list[Any]]]:
    """Yield rows in the order of their ids, _ROWS_AT_ONCE at a time, as a list for each column; prices are floats.

    `columns` begin with the id. A batch comes as JSON texts: SQLite's driver releases the interpreter lock for each
    row and has to win it back, so that with busy readers in the same process a thousand rows took seconds, with the
    write lock held. Were it larger, parsing the texts would hold up the readers in turn.
    """
    sqlite = session.get_bind().dialect.name == "sqlite"
    gather = func.json_group_array if sqlite else func.json_agg
    after = -1
    while True:
        batch = select(*columns).where(BookRow.id > after, *where).order_by(BookRow.id).limit(_ROWS_AT_ONCE)
        texts = session.execute(select(*(cast(gather(column), Text) for column in batch.subquery().c))).one()
        lists = [orjson.loads(text or "[]") for text in texts]
        ids = lists[0]
        if ids != sorted(ids):  # an aggregate promises no order
            places = sorted(range(len(ids)), key=ids.__getitem__)
            lists = [[values[place] for place in places] for values in lists]
        yield lists
        if len(ids) < _ROWS_AT_ONCE:
            return
        after = lists[0][-1]


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
