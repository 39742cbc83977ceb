"""Past catalogues of this process, rebuilt when they are asked for."""

import threading
from datetime import datetime

from app.core.catalogue import Book, Catalogue, Publication
from app.core.errors import Unavailable
from app.core.history import AsOf
from app.core.recent import RecentResults
from app.storage.book_texts import BookTexts
from app.storage.catalogue_store import CatalogueStore
from app.storage.database import Database
from app.storage.past import find_publication, load_past_catalogue, load_past_state

MAX_CATALOGUES = 32
MAX_BOOKS = 20_000
"""The most books in the catalogues that are kept; the newest of these is kept whatever its size."""
BUILT_WITHIN_S = 10.0


class PastCatalogues:
    """The catalogues as past publications left them; those asked for last are kept. Safe to share.

    One thread at a time rebuilds one, under `_building`, while others that need one wait for BUILT_WITHIN_S.
    """

    def __init__(self, database: Database, present: CatalogueStore, texts: BookTexts) -> None:
        self._database = database
        self._present = present
        self._texts = texts
        self._built: RecentResults[tuple[int, datetime], Catalogue] = RecentResults(MAX_CATALOGUES, MAX_BOOKS)
        self._building = threading.Lock()

    def at(self, as_of: AsOf) -> Catalogue:
        """Return a past catalogue. Raises PastCatalogueNotFound or Unavailable."""
        with self._database.reading() as session:
            publication = find_publication(session, as_of)
        key = publication.version, publication.published_at
        catalogue = self._built.get(key)
        if catalogue is not None:
            return catalogue
        if not self._building.acquire(timeout=BUILT_WITHIN_S):
            raise Unavailable("Outros catálogos passados estão sendo montados. Tente de novo em instantes.")
        try:
            catalogue = self._built.get(key)
            if catalogue is None:
                catalogue = self._build(publication)
                self._built.add(key, catalogue)
            return catalogue
        finally:
            self._building.release()

    def book_at(self, as_of: AsOf, book_id: int) -> Catalogue:
        """Return a past catalogue with this book alone, which was listed then. Raises as `at`, and BookNotFound."""
        with self._database.reading() as session:
            publication = find_publication(session, as_of)
            state = load_past_state(session, publication.version, book_id)
        text = self._texts.at(book_id, publication)
        return Catalogue(
            [Book(book_id, text.title, text.category, *state, text.rating, text.image_url)], publication
        )

    def _build(self, publication: Publication) -> Catalogue:
        self._present.ensure_version(publication.version)
        base = self._present.current().base
        with self._database.reading() as session:
            # Found again: what is no longer retained may be deleted by now.
            return load_past_catalogue(session, find_publication(session, publication.version), base)
