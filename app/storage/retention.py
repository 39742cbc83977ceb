"""Deletion of the past that is no longer retained."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, delete, exists, func, select, tuple_
from sqlalchemy.orm import InstrumentedAttribute, Session, aliased

from app.storage.models import BookHistoryRow, PastTextRow, PublicationRow

BATCH_ROWS = 1_000
Key = tuple[int, int]
"""A book's id and a version."""
PastTable = type[BookHistoryRow] | type[PastTextRow]
_Newer = aliased(BookHistoryRow)


def oldest_to_retain(session: Session, since: datetime) -> int | None:
    """Return the version that was on sale at `since`; None where no older one is known.

    Versions and not times decide which of two is older: a clock may have been wrong.
    """
    older = select(func.max(PublicationRow.version))
    first = session.scalar(
        select(func.min(PublicationRow.version)).where(PublicationRow.published_at >= since)
    )
    version = session.scalar(older if first is None else older.where(PublicationRow.version < first))
    return None if version is None or version == session.scalar(func.min(PublicationRow.version)) else version


def lock_retention(session: Session) -> None:
    """Keep other processes from deleting the same rows until the transaction ends."""
    session.execute(
        select(PublicationRow.version).order_by(PublicationRow.version).limit(1).with_for_update()
    )


def delete_publications(session: Session, oldest: int) -> None:
    """Delete the publications before version `oldest`, which every later one can be rebuilt without."""
    session.execute(delete(PublicationRow).where(PublicationRow.version < oldest))


def find_unneeded(session: Session, table: PastTable, oldest: int, after: Key) -> list[Key]:
    """Return the keys of up to BATCH_ROWS rows of `table` behind `after` that no version from `oldest` on needs."""
    if table is PastTextRow:
        unneeded: ColumnElement[bool] = PastTextRow.last_version < oldest
    else:
        unneeded = (BookHistoryRow.version < oldest) & exists().where(
            _Newer.book_id == BookHistoryRow.book_id,
            _Newer.version > BookHistoryRow.version,
            _Newer.version <= oldest,
        )
    key = _key(table)
    statement = select(*key).where(tuple_(*key) > after, unneeded).order_by(*key).limit(BATCH_ROWS)
    return [(book_id, version) for book_id, version in session.execute(statement)]


def delete_rows(session: Session, table: PastTable, keys: Sequence[Key]) -> None:
    session.execute(delete(table).where(tuple_(*_key(table)).in_(keys)))


def _key(table: PastTable) -> tuple[InstrumentedAttribute[int], InstrumentedAttribute[int]]:
    return table.book_id, table.version if table is BookHistoryRow else PastTextRow.last_version
