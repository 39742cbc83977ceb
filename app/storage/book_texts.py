"""Texts of books that no snapshot holds: the descriptions alone would take the memory of several catalogues."""

from datetime import datetime
from functools import lru_cache

from app.core.books import Publication
from app.core.catalogue import Catalogue
from app.core.history import BookText
from app.storage.database import Database
from app.storage.past import load_text

MAX_TEXTS = 256


class BookTexts:
    """What the pages of books said: in a small catalogue's snapshot, else in the database.

    `_read` keeps the last MAX_TEXTS that it read there, and is safe to share.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._read = lru_cache(MAX_TEXTS)(self._load)

    def of(self, book_id: int, catalogue: Catalogue) -> BookText:
        """Return what the page of a book of `catalogue` says. Raises BookNotFound."""
        base, position = catalogue.base, catalogue.base.position(book_id)
        if base.columns.details:
            return BookText(*base.text(position), *base.columns.details[position])
        return self.at(book_id, catalogue.publication)

    def at(self, book_id: int, publication: Publication) -> BookText:
        """Return what the page of a book said at a publication. Raises BookNotFound for an id never given."""
        return self._read(book_id, publication.version, publication.published_at)

    def _load(self, book_id: int, version: int, _published_at: datetime) -> BookText:
        # By its time, a version is told from one of the same number in another database.
        with self._database.reading() as session:
            return load_text(session, book_id, version)
