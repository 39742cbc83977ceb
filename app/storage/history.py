"""Rows of `publicacao`, `livro_historico` and `livro_texto_anterior`: what each publication changed."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, case, exists, false, func, insert, literal, or_, select
from sqlalchemy.orm import Session, aliased

from app.core.books import Publication
from app.core.history import TEXT_NAMES, BookChange
from app.core.scraping import StoredBook
from app.storage.batches import write_rows
from app.storage.models import BookHistoryRow, BookRow, CatalogueRow, PastTextRow, PublicationRow

_STATE_NAMES = ("book_id", "version", "price_excl_tax", "price_incl_tax", "stock", "listed", "changes")
_STATE = [getattr(BookHistoryRow, name) for name in _STATE_NAMES]
_PRESENT_VERSION = select(CatalogueRow.version).where(CatalogueRow.id == 1)


def keep_texts(session: Session, books: Iterable[StoredBook]) -> None:
    """Keep the texts of `books` as those that the present version was the last to have."""
    rows = (_text_row(book) for book in books)
    constants = {"last_version": session.scalar(_PRESENT_VERSION)}
    write_rows(session, PastTextRow, ("book_id", *TEXT_NAMES), rows, constants)


def keep_all_texts(session: Session) -> None:
    """Keep the texts of all books, before they are deleted."""
    texts = [getattr(BookRow, name) for name in TEXT_NAMES]
    columns = [PastTextRow.book_id, PastTextRow.last_version, *(getattr(PastTextRow, n) for n in TEXT_NAMES)]
    present = select(BookRow.id, _PRESENT_VERSION.scalar_subquery(), *texts)
    session.execute(insert(PastTextRow).from_select(columns, present))


def record_changes(
    session: Session, publication: Publication, last_movement: int, first_added: int | None
) -> None:
    """Remember `publication`, and each book that differs from what is remembered of it.

    Books from the id `first_added` on are new, even if a deleted one had their id. Sales since the publication before
    are among the differences. The database compares: rows that came here would hold up all readers.
    """
    session.execute(
        insert(PublicationRow).values(
            version=publication.version,
            published_at=publication.published_at,
            origin=publication.origin,
            source_url=publication.source_url,
            last_movement=last_movement,
        )
    )
    last = aliased(BookHistoryRow)
    edited = exists().where(
        PastTextRow.book_id == BookRow.id, PastTextRow.last_version == publication.version - 1
    )
    added: ColumnElement[bool] = last.book_id.is_(None)
    if first_added is not None:
        added = or_(added, BookRow.id >= first_added)
    prices = or_(last.price_excl_tax != BookRow.price_excl_tax, last.price_incl_tax != BookRow.price_incl_tax)
    differences = {
        BookChange.RETURNED: ~last.listed,
        BookChange.PRICE: prices,
        BookChange.STOCK: last.stock != BookRow.stock,
        BookChange.TEXT: edited,
    }
    changes = case(
        (added, int(BookChange.ADDED)),
        (and_(last.listed, ~BookRow.listed), int(BookChange.REMOVED)),
        (~BookRow.listed, 0),
        else_=_sum_of(differences),
    ).label("changes")
    compared = (
        _of_each_book(last)
        .with_only_columns(
            BookRow.id,
            literal(publication.version),
            BookRow.price_excl_tax,
            BookRow.price_incl_tax,
            BookRow.stock,
            BookRow.listed,
            changes,
        )
        .subquery()
    )
    session.execute(
        insert(BookHistoryRow).from_select(_STATE, select(compared).where(compared.c.changes != 0))
    )


def record_deleted(session: Session, publication: Publication) -> None:
    """Remember that books which have lost their rows in `livros` are on sale no more."""
    newer = aliased(BookHistoryRow)
    last_listed = and_(
        BookHistoryRow.listed,
        ~exists().where(newer.book_id == BookHistoryRow.book_id, newer.version > BookHistoryRow.version),
        ~exists().where(BookRow.id == BookHistoryRow.book_id),
    )
    deleted = select(
        BookHistoryRow.book_id,
        literal(publication.version),
        BookHistoryRow.price_excl_tax,
        BookHistoryRow.price_incl_tax,
        BookHistoryRow.stock,
        false(),
        literal(int(BookChange.REMOVED)),
    ).where(last_listed)
    session.execute(insert(BookHistoryRow).from_select(_STATE, deleted))


def _of_each_book(last: Any) -> Select[Any]:
    """Select every book that has a row in `livros`, with `last`, its newest row of the past, if it has one."""
    newest = aliased(BookHistoryRow)
    version = select(func.max(newest.version)).where(newest.book_id == BookRow.id).scalar_subquery()
    same_book = and_(last.book_id == BookRow.id, last.version == version)
    return select(BookRow).outerjoin(last, same_book)


def _sum_of(differences: dict[BookChange, ColumnElement[bool]]) -> ColumnElement[int]:
    flags = [case((differs, int(change)), else_=0) for change, differs in differences.items()]
    return sum(flags[1:], start=flags[0])


def _text_row(book: StoredBook) -> tuple[Any, ...]:
    page = book.page
    return (
        *(book.id, page.title, page.category, page.rating, page.image_url, page.description),
        *(page.upc, page.url),
    )
