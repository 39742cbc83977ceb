"""The past of the catalogue: a book's history, what publications changed, and how long that is retained."""

import logging
from datetime import timedelta

from app.core.changes import CatalogueChange, Observation
from app.core.errors import BookNotFound
from app.storage import retention
from app.storage.changes import ChangeFilter, ChangePlace, load_changes
from app.storage.database import Database
from app.storage.models import BookHistoryRow, PastTextRow
from app.storage.observations import load_observations

log = logging.getLogger(__name__)


class Changes:
    """What the shop remembers of past publications, for `days`, or for ever where that is 0.

    Readers name the `version` that is the newest for them, so that a response is of one publication.
    """

    def __init__(self, database: Database, days: int) -> None:
        self._database = database
        self._days = days

    def history(self, book_id: int, version: int) -> list[Observation]:
        """Return the course of a book up to `version`, oldest first. Raises BookNotFound for an id never given."""
        with self._database.reading() as session:
            observations = load_observations(session, book_id, version)
        if observations is None:
            raise BookNotFound
        return observations

    def changes(
        self, wanted: ChangeFilter, limit: int, version: int, after: ChangePlace | None = None
    ) -> tuple[list[CatalogueChange], ChangePlace | None]:
        """Return a page of what publications up to `version` changed, newest first, and where the next one begins."""
        with self._database.reading() as session:
            return load_changes(session, wanted, limit, version, after)

    def purge(self) -> None:
        """Delete what is older than `days`, but for what later versions need.

        Each batch is a transaction of its own, between which others write. Any number of processes may do it at once,
        and what one leaves undone, the next purge does.
        """
        if not self._days:
            return
        with self._database.reading() as session:
            since = self._database.now(session) - timedelta(days=self._days)
            oldest = retention.oldest_to_retain(session, since)
        if oldest is None:
            return
        with self._database.writing() as session:
            retention.lock_retention(session)
            retention.delete_publications(session, oldest)
        for table in (BookHistoryRow, PastTextRow):
            self._delete_unneeded(table, oldest)
        log.info("history_purged", extra={"version": oldest})

    def _delete_unneeded(self, table: retention.PastTable, oldest: int) -> None:
        after = (-1, -1)
        while True:
            with self._database.reading() as session:
                keys = retention.find_unneeded(session, table, oldest, after)
            if not keys:
                return
            with self._database.writing() as session:
                retention.lock_retention(session)
                retention.delete_rows(session, table, keys)
            after = keys[-1]
