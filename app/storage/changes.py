"""What publications changed, from the rows of `livro_historico`."""

import math
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import ROUND_CEILING, Decimal
from typing import Any

from sqlalchemy import ColumnElement, Row, and_, func, or_, select, tuple_
from sqlalchemy.orm import Session, aliased

from app.core.books import whole_pence
from app.core.changes import CatalogueChange
from app.core.history import BookChange
from app.storage.catalogue import DEMONSTRATION
from app.storage.models import BookHistoryRow, BookRow, PastTextRow, PublicationRow

SCANNED_ROWS = 5_000
"""Rows that one page of changes looks at; where its filter passes few, the next page goes on behind them."""
_MEASURED = (BookChange.PRICE, BookChange.STOCK)
"""The kinds of change that have a size."""
_HUGE = Decimal(2**31)
"""More copies than the column holds."""
_LAST_KIND = max(BookChange)
_FIRST_VERSION = 1
"""Of the first publication that a shop ever had."""
_TEXTS = {
    "titulo": "title",
    "categoria": "category",
    "rating": "rating",
    "url_imagem": "image_url",
    "descricao": "description",
    "upc": "upc",
    "url_produto": "source_url",
}
"""The texts of a book by the names that clients know."""

_PLACE = tuple_(BookHistoryRow.version, BookHistoryRow.book_id)
_NEWEST_FIRST = (BookHistoryRow.version.desc(), BookHistoryRow.book_id.desc())
_Earlier = aliased(BookHistoryRow)
_Older = aliased(BookHistoryRow)
_Text = aliased(PastTextRow)
_Later = aliased(PastTextRow)
_VERSION_BEFORE = (
    select(func.max(_Older.version))
    .where(_Older.book_id == BookHistoryRow.book_id, _Older.version < BookHistoryRow.version)
    .correlate(BookHistoryRow)
    .scalar_subquery()
)
_TEXT_UNTIL = (
    select(func.min(_Later.last_version))
    .where(_Later.book_id == BookHistoryRow.book_id, _Later.last_version >= BookHistoryRow.version)
    .correlate(BookHistoryRow)
    .scalar_subquery()
)
_CATEGORY = func.coalesce(_Text.category, BookRow.category)
_CHANGED_ROWS = (
    select(
        BookHistoryRow.version,
        PublicationRow.published_at,
        BookHistoryRow.book_id,
        func.coalesce(_Text.title, BookRow.title).label("title"),
        _CATEGORY.label("category"),
        BookHistoryRow.changes,
        BookHistoryRow.price_incl_tax.label("price"),
        BookHistoryRow.stock,
        _Earlier.price_incl_tax.label("price_before"),
        _Earlier.stock.label("stock_before"),
    )
    .join(PublicationRow, PublicationRow.version == BookHistoryRow.version)
    .join(BookRow, BookRow.id == BookHistoryRow.book_id)
    .join(
        _Earlier,
        and_(_Earlier.book_id == BookHistoryRow.book_id, _Earlier.version == _VERSION_BEFORE),
        isouter=True,
    )
    .join(
        _Text,
        and_(_Text.book_id == BookHistoryRow.book_id, _Text.last_version == _TEXT_UNTIL),
        isouter=True,
    )
    .order_by(*_NEWEST_FIRST)
)


@dataclass(frozen=True, slots=True)
class ChangeFilter:
    """The changes to list; None and an empty collection match all. The period includes `since`, excludes `until`.

    `minimum` is the least size, in pounds of a price and copies of a stock; other kinds of change have none.
    """

    kind: BookChange | None = None
    categories: Collection[str] = ()
    minimum: Decimal | None = None
    since: datetime | None = None
    until: datetime | None = None

    @property
    def kinds(self) -> list[BookChange]:
        kinds = [*BookChange] if self.minimum is None else [*_MEASURED]
        return [kind for kind in kinds if self.kind in (None, kind)]


@dataclass(frozen=True, slots=True)
class ChangePlace:
    """The place of a change in the list, which stays where it is when others arrive."""

    version: int
    book_id: int
    kind: BookChange


def load_changes(
    session: Session, wanted: ChangeFilter, limit: int, version: int, after: ChangePlace | None = None
) -> tuple[list[CatalogueChange], ChangePlace | None]:
    """Return a page of the changes up to `version`, newest first, and the place behind which the next page begins.

    The page itself begins behind `after`. It may be shorter than `limit` although another follows: see SCANNED_ROWS.
    """
    first, last, first_scraped = _versions(session, wanted, version)
    # One bound on each side, which SQLite finds in the index of the places.
    begin: ColumnElement[bool] = BookHistoryRow.version <= last
    end: ColumnElement[bool] = BookHistoryRow.version >= first
    if after is not None and after.version <= last:
        row = (after.version, after.book_id)
        begin = row > _PLACE if after.kind is _LAST_KIND else row >= _PLACE
    places = select(BookHistoryRow.version, BookHistoryRow.book_id).where(begin, end).order_by(*_NEWEST_FIRST)
    last_scanned = session.execute(places.offset(SCANNED_ROWS - 1).limit(1)).one_or_none()
    if last_scanned is not None:
        end = tuple(last_scanned) <= _PLACE
    conditions = _conditions(wanted, first_scraped)
    rows = session.execute(_CHANGED_ROWS.where(begin, end, *conditions).limit(limit + 2))
    found = [change for row in rows for change in _changes_of(row, wanted) if _is_behind(change, after)]
    page = found[:limit]
    following = None
    if len(found) > limit:
        following = ChangePlace(page[-1].version, page[-1].book_id, page[-1].kind)
    elif last_scanned is not None:
        following = ChangePlace(*last_scanned, _LAST_KIND)
    return _with_texts(session, page), following


def _versions(session: Session, wanted: ChangeFilter, version: int) -> tuple[int, int, int | None]:
    """Return the first and the last version up to `version` that may be listed, and the first scraped one of all."""
    oldest = session.scalar(select(func.min(PublicationRow.version))) or 0
    scraped = session.scalar(
        select(func.min(PublicationRow.version)).where(PublicationRow.origin != DEMONSTRATION)
    )
    # What the oldest one changed is not known where the one before it is no longer retained.
    known = oldest if oldest == _FIRST_VERSION else oldest + 1
    first, last = session.execute(
        select(func.min(PublicationRow.version), func.max(PublicationRow.version)).where(
            PublicationRow.version.between(max(known, scraped or 0), version), *_period(wanted)
        )
    ).one()
    return first or 0, last or -1, scraped


def _period(wanted: ChangeFilter) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if wanted.since is not None:
        conditions.append(PublicationRow.published_at >= wanted.since)
    if wanted.until is not None:
        conditions.append(PublicationRow.published_at < wanted.until)
    return conditions


def _conditions(wanted: ChangeFilter, first_scraped: int | None) -> list[ColumnElement[bool]]:
    conditions = [or_(*(_has(kind, wanted.minimum) for kind in wanted.kinds)), *_period(wanted)]
    if wanted.categories:
        conditions.append(_CATEGORY.in_(wanted.categories))
    if first_scraped is not None:
        # It removed the demonstration catalogue, whose books never were the shop's.
        removed = BookHistoryRow.changes.bitwise_and(BookChange.REMOVED) != 0
        conditions.append(or_(BookHistoryRow.version != first_scraped, ~removed))
    return conditions


def _has(kind: BookChange, minimum: Decimal | None) -> ColumnElement[bool]:
    changed = BookHistoryRow.changes.bitwise_and(kind) != 0
    if minimum is None:
        return changed
    if kind is BookChange.STOCK:
        size, least = func.abs(BookHistoryRow.stock - _Earlier.stock), math.ceil(min(minimum, _HUGE))
    else:  # in whole pence, since SQLite's prices are floats
        pence, pence_before = (func.round(row.price_incl_tax * 100) for row in (BookHistoryRow, _Earlier))
        size, least = func.abs(pence - pence_before), whole_pence(minimum, ROUND_CEILING)
    return and_(changed, size >= least)


def _changes_of(row: Row[*tuple[Any, ...]], wanted: ChangeFilter) -> Iterator[CatalogueChange]:
    """Yield the changes of a row that the filter wants, the edited texts without their values."""
    for kind in wanted.kinds:
        if row.changes & kind:
            before, after = _values(row, kind)
            if wanted.minimum is None or abs(after - before) >= wanted.minimum:
                place = row.version, row.published_at, row.book_id
                yield CatalogueChange(*place, row.title, row.category, kind, before, after)


def _values(row: Row[*tuple[Any, ...]], kind: BookChange) -> tuple[Any, Any]:
    match kind:
        case BookChange.ADDED:
            return None, row.price
        case BookChange.REMOVED:
            return row.price_before, None
        case BookChange.STOCK:
            return row.stock_before, row.stock
    return row.price_before, row.price


def _is_behind(change: CatalogueChange, place: ChangePlace | None) -> bool:
    if place is None or (change.version, change.book_id) != (place.version, place.book_id):
        return True
    return change.kind > place.kind


def _with_texts(session: Session, page: list[CatalogueChange]) -> list[CatalogueChange]:
    """Return the changes with the values of those that edited texts."""
    edited = {change.book_id for change in page if change.kind is BookChange.TEXT}
    if not edited:
        return page
    texts: dict[int, list[Any]] = {book_id: [] for book_id in edited}
    past = select(PastTextRow).where(PastTextRow.book_id.in_(edited)).order_by(PastTextRow.last_version)
    for row in session.scalars(past):
        texts[row.book_id].append(row)
    for book in session.scalars(select(BookRow).where(BookRow.id.in_(edited))):
        texts[book.id].append(book)
    return [
        _with_edits(change, texts[change.book_id]) if change.kind is BookChange.TEXT else change
        for change in page
    ]


def _with_edits(change: CatalogueChange, texts: list[Any]) -> CatalogueChange:
    """Return the change with what it edited; `texts` are the book's, the oldest first."""
    *past, present = texts
    before, after = (
        next((text for text in past if text.last_version >= version), present)
        for version in (change.version - 1, change.version)
    )
    names = [key for key, name in _TEXTS.items() if getattr(before, name) != getattr(after, name)]
    return replace(
        change,
        before={key: getattr(before, _TEXTS[key]) for key in names},
        after={key: getattr(after, _TEXTS[key]) for key in names},
    )
