"""A book's course through past publications, from its rows of `livro_historico`."""

from itertools import pairwise
from typing import Any

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from app.core.changes import Observation
from app.core.history import BookChange
from app.storage.columns import MAX_ID
from app.storage.models import BookHistoryRow, BookRow, PublicationRow

MAX_OBSERVATIONS = 5_000
"""Of one book, the newest."""
_OLDEST = (  # built once: building them takes longer than their execution
    select(PublicationRow.version, PublicationRow.published_at)
    .join(BookRow, BookRow.id == bindparam("book_id"))
    .order_by(PublicationRow.version)
    .limit(1)
)
_ROWS = (
    select(
        BookHistoryRow.version,
        PublicationRow.published_at,
        BookHistoryRow.price_incl_tax,
        BookHistoryRow.price_excl_tax,
        BookHistoryRow.stock,
        BookHistoryRow.listed,
        BookHistoryRow.changes,
    )
    .join(PublicationRow, PublicationRow.version == BookHistoryRow.version, isouter=True)
    .where(BookHistoryRow.book_id == bindparam("book_id"), BookHistoryRow.version <= bindparam("version"))
    .order_by(BookHistoryRow.version.desc())
    .limit(bindparam("most"))
)


def load_observations(session: Session, book_id: int, version: int) -> list[Observation] | None:
    """Return a book's history up to `version`, oldest first; None for an id that was never given.

    It begins with the oldest publication that is retained. A demonstration book that had the same id is another book.
    """
    if book_id > MAX_ID:
        return None
    connection = session.connection()
    oldest = connection.execute(_OLDEST, {"book_id": book_id}).one_or_none()
    if oldest is None:
        return None
    parameters = {"book_id": book_id, "version": version, "most": MAX_OBSERVATIONS}
    found: list[Observation] = []
    for row in connection.execute(_ROWS, parameters):
        known = row.versao > oldest.versao
        at = row if known else oldest  # which found the book in that state
        found.append(
            Observation(
                at.versao,
                at.publicado_em,
                row.preco_com_taxa,
                row.preco_sem_taxa,
                row.disponibilidade,
                row.listado,
            )
        )
        if not known or row.mudancas & BookChange.ADDED:
            break
    found.reverse()
    return found[:1] + [after for before, after in pairwise(found) if _state(before) != _state(after)]


def _state(observation: Observation) -> tuple[Any, ...]:
    return (
        observation.price_incl_tax,
        observation.price_excl_tax,
        observation.stock,
        observation.listed,
    )
