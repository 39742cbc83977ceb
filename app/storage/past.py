"""Past publications: the catalogue, a book and its texts as one of them left them."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, bindparam, func, literal, select, union, union_all
from sqlalchemy.orm import Session, aliased

from app.core.book_columns import BookColumns
from app.core.books import AS_PUBLISHED, Publication
from app.core.catalogue import Catalogue
from app.core.catalogue_base import CatalogueBase
from app.core.errors import BookNotFound, PastCatalogueNotFound
from app.core.history import TEXT_NAMES, AsOf, BookText
from app.storage.batches import ROWS_AT_ONCE, read_batches
from app.storage.models import BookHistoryRow, BookRow, PastTextRow, PublicationRow

_Text = tuple[str, str, int, str]
"""The texts of a book that a catalogue holds: the first four of `BookText`."""
_VERSION: ColumnElement[int] = bindparam("version")
_AFTER: ColumnElement[int] = bindparam("after")
_BOOK_ID: ColumnElement[int] = bindparam("book_id")
_PUBLICATIONS = select(
    PublicationRow.version, PublicationRow.published_at, PublicationRow.origin, PublicationRow.source_url
)
_OF_VERSION = _PUBLICATIONS.where(PublicationRow.version == bindparam("as_of"))
_OF_MOMENT = (
    _PUBLICATIONS.where(PublicationRow.published_at < bindparam("as_of"))
    .order_by(PublicationRow.version.desc())
    .limit(1)
)
_NEWEST = _PUBLICATIONS.order_by(PublicationRow.version.desc()).limit(1)
_OLDEST = _PUBLICATIONS.order_by(PublicationRow.version).limit(1)


def _is_state_of(book_id: ColumnElement[int]) -> ColumnElement[bool]:
    """Return the condition of the row that says how a book was at the version."""
    row = aliased(BookHistoryRow)
    version = select(func.max(row.version)).where(row.book_id == book_id, row.version <= _VERSION)
    return and_(BookHistoryRow.book_id == book_id, BookHistoryRow.version == version.scalar_subquery())


def _states() -> Select[Any]:
    """Select a batch of all books with their states at the version, as `read_batches` wants it."""
    # A book with no row in `livros` was deleted, and so its texts were kept. Each part is cut by itself: PostgreSQL
    # would look for the states of all that follow before it takes the first.
    present = select(BookRow.id.label("id")).where(BookRow.id > _AFTER)
    deleted = (
        select(PastTextRow.book_id.label("id"))
        .where(PastTextRow.book_id > _AFTER, PastTextRow.last_version >= _VERSION)
        .distinct()
    )
    parts = (part.order_by("id").limit(ROWS_AT_ONCE).subquery() for part in (present, deleted))
    all_ids = union(*(select(part.c.id) for part in parts)).subquery()
    ids = select(all_ids.c.id).order_by(all_ids.c.id).limit(ROWS_AT_ONCE).subquery()
    names = ("listed", "price_incl_tax", "price_excl_tax", "stock")
    return (
        select(ids.c.id, *(getattr(BookHistoryRow, name) for name in names))
        .outerjoin(BookHistoryRow, _is_state_of(ids.c.id))
        .order_by(ids.c.id)
    )


def _superseded_texts() -> Select[Any]:
    """Select a batch of the texts that were valid at the version and are no more."""
    row = aliased(PastTextRow)
    last_version = select(func.min(row.last_version)).where(
        row.book_id == PastTextRow.book_id, row.last_version >= _VERSION
    )
    return (
        select(PastTextRow.book_id, *(getattr(PastTextRow, name) for name in TEXT_NAMES[:4]))
        .where(PastTextRow.book_id > _AFTER, PastTextRow.last_version == last_version.scalar_subquery())
        .order_by(PastTextRow.book_id)
        .limit(ROWS_AT_ONCE)
    )


_STATES = _states()
_SUPERSEDED_TEXTS = _superseded_texts()
_PRESENT_TEXTS = select(BookRow.id, *(getattr(BookRow, name) for name in TEXT_NAMES[:4])).where(
    BookRow.id.in_(bindparam("ids", expanding=True))
)
_STATE = select(BookHistoryRow.price_incl_tax, BookHistoryRow.price_excl_tax, BookHistoryRow.stock).where(
    _is_state_of(_BOOK_ID), BookHistoryRow.listed
)
_TEXT_UNTIL = (
    select(*(getattr(PastTextRow, name) for name in TEXT_NAMES))
    .where(PastTextRow.book_id == _BOOK_ID, PastTextRow.last_version >= _VERSION)
    .order_by(PastTextRow.last_version)
    .limit(1)
    .subquery()
)
_TEXTS = union_all(
    select(literal(0), _TEXT_UNTIL),
    select(literal(1), *(getattr(BookRow, name) for name in TEXT_NAMES)).where(BookRow.id == _BOOK_ID),
)


def find_publication(session: Session, as_of: AsOf) -> Publication:
    """Return the publication of a past catalogue. Raises PastCatalogueNotFound."""
    connection = session.connection()
    statement = _OF_MOMENT if isinstance(as_of, datetime) else _OF_VERSION
    row = connection.execute(statement, {"as_of": as_of}).one_or_none()
    if row is None:
        ends = (connection.execute(statement).one() for statement in (_OLDEST, _NEWEST))
        raise PastCatalogueNotFound(*(Publication(*end) for end in ends))
    return Publication(*row, stock_version=AS_PUBLISHED)


def load_past_catalogue(session: Session, publication: Publication, base: CatalogueBase) -> Catalogue:
    """Return the catalogue as `publication` left it.

    `base` is of the same version or a newer one: the texts that are still valid come from there.
    """
    version = {"version": publication.version}
    superseded: dict[int, _Text] = {}
    for edited, *values in read_batches(session, _SUPERSEDED_TEXTS, version):
        superseded |= zip(edited, zip(*values, strict=True), strict=True)
    places = dict(zip(base.columns.ids, range(len(base)), strict=True))
    columns = BookColumns()
    for batch in read_batches(session, _STATES, version):
        states = [state for state in zip(*batch, strict=True) if state[1]]  # those that were listed
        ids, _, prices_incl_tax, prices_excl_tax, stocks = [*zip(*states, strict=True)] or [()] * 5
        incl, excl = (
            [round(price * 100) for price in prices] for prices in (prices_incl_tax, prices_excl_tax)
        )
        unlisted = [book_id for book_id in ids if book_id not in places and book_id not in superseded]
        others = superseded | _present_texts(session, unlisted)
        texts = (others.get(book_id) or base.text(places[book_id]) for book_id in ids)
        titles, categories, ratings, image_urls = [*zip(*texts, strict=True)] or [()] * 4
        columns.extend(ids, titles, categories, incl, excl, stocks, ratings, image_urls)
    return Catalogue(columns, publication)


def _present_texts(session: Session, ids: list[int]) -> dict[int, _Text]:
    """Return by id what the pages of these books say now, of books that are on sale or not."""
    rows = session.connection().execute(_PRESENT_TEXTS, {"ids": ids}) if ids else ()
    return {book_id: tuple(text) for book_id, *text in rows}


def load_past_state(session: Session, version: int, book_id: int) -> tuple[Decimal, Decimal, int]:
    """Return a book's prices with and without tax and its stock at a version. Raises BookNotFound."""
    state = session.connection().execute(_STATE, {"version": version, "book_id": book_id}).one_or_none()
    if state is None:
        raise BookNotFound
    return state[0], state[1], state[2]


def load_text(session: Session, book_id: int, version: int) -> BookText:
    """Return what the page of a book said at a version. Raises BookNotFound for an id never given."""
    rows = session.connection().execute(_TEXTS, {"version": version, "book_id": book_id}).all()
    if not rows:
        raise BookNotFound
    return BookText(*min(rows, key=lambda row: row[0])[1:])
