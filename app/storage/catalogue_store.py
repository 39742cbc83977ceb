"""The published catalogue of this process."""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import replace

from sqlalchemy.exc import SQLAlchemyError

from app.core.catalogue import Catalogue, Publication
from app.storage.catalogue import load_catalogue, load_publication, load_stocks
from app.storage.database import Database

log = logging.getLogger(__name__)

CHECK_EVERY_S = 0.5
"""How often the database is asked whether another process has published."""


class CatalogueStore:
    """Holds the current snapshot and replaces it whole when the database has another version.

    `_current` is only ever swapped, so readers need no lock; `_reloading` lets one thread at a time ask
    the database, while the others go on with what is there.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._current: Catalogue | None = None
        self._checked_at = float("-inf")
        self._reloading = threading.Lock()

    def current(self) -> Catalogue:
        """The catalogue, compared with the database every CHECK_EVERY_S. Raises RuntimeError before the first one."""
        if time.monotonic() - self._checked_at > CHECK_EVERY_S and self._reloading.acquire(
            blocking=self._current is None
        ):
            try:
                self._reload()
            except SQLAlchemyError:
                if self._current is None:
                    raise
                log.exception("catalogue_check_failed")
            finally:
                self._checked_at = time.monotonic()
                self._reloading.release()
        if self._current is None:
            raise RuntimeError("no catalogue was ever published in this database")
        return self._current

    def catch_up(self, version: int) -> None:
        """Have at least `version`, which somebody knows to be published."""
        if self._current is None or self._current.publication.version < version:
            self.refresh()

    def catch_up_stocks(self, stock_version: int) -> None:
        """Have the stocks at least as of `stock_version`, which somebody has just committed."""
        with self._reloading:
            if self._current is None or self._current.publication.stock_version < stock_version:
                self._reload()

    def refresh(self) -> Catalogue:
        """Swap in what is published now, without waiting for the next check."""
        with self._reloading:
            self._reload()
            self._checked_at = time.monotonic()
        return self.current()

    def _reload(self) -> None:
        with self._database.reading() as session:
            publication = load_publication(session)
            if publication is None or (self._current and publication == self._current.publication):
                return
            if self._current and _differ_in_stocks_only(publication, self._current.publication):
                self._current = self._current.with_stocks(load_stocks(session), publication)
            else:
                self._current = load_catalogue(session)


def _differ_in_stocks_only(one: Publication, other: Publication) -> bool:
    return replace(one, stock_version=other.stock_version) == other
