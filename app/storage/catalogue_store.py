"""The published catalogue of this process."""

from collections.abc import Callable
from dataclasses import replace

from sqlalchemy.orm import Session

from app.core.catalogue import Catalogue, Publication
from app.core.errors import Unavailable
from app.storage.catalogue import (
    load_catalogue,
    load_last_movement,
    load_moved_stocks,
    load_publication,
    load_stocks,
)
from app.storage.database import Database
from app.storage.polled import CHECK_EVERY_S, Polled
from ml.text_model import NO_TEXT_MODEL, TextModel


class NothingPublished(Unavailable):
    """The database has its tables, and nothing in them."""

    detail = "A loja ainda não foi preparada: inicie-a com python run.py ou flask run."


class CatalogueStore(Polled[Catalogue]):
    """The snapshot of the published catalogue; its methods raise NothingPublished before the first publication.

    `_last_movement` is the newest in the ledger whose stock the snapshot has; only the one thread that loads uses it.
    """

    def __init__(
        self,
        database: Database,
        check_every_s: float = CHECK_EVERY_S,
        load_texts: Callable[[Publication], TextModel] = lambda _publication: NO_TEXT_MODEL,
    ) -> None:
        """`load_texts` returns what the model in use found in the texts of the books."""
        super().__init__(self._load_changed, "catalogue_check_failed", check_every_s)
        self._database = database
        self._load_texts = load_texts
        self._last_movement = 0

    def ensure_version(self, version: int) -> None:
        """Reload unless the snapshot is at `version` or newer. Raises SQLAlchemyError."""
        self.ensure(lambda catalogue: catalogue.publication.version >= version)

    def ensure_stock_version(self, stock_version: int) -> None:
        """Reload unless the stocks are at `stock_version` or newer. Raises SQLAlchemyError."""
        self.ensure(lambda catalogue: catalogue.publication.stock_version >= stock_version)

    def _load_changed(self, snapshot: Catalogue | None) -> Catalogue:
        with self._database.reading() as session:
            publication = load_publication(session)
            if snapshot is not None and publication in (None, snapshot.publication):
                return snapshot
            if publication is None:
                raise NothingPublished
            if snapshot is not None and _have_same_books(publication, snapshot.publication):
                stocks, last_movement = self._load_changed_stocks(session)
                catalogue = snapshot.with_stocks(stocks, publication)
            else:
                catalogue, last_movement = load_catalogue(session, publication), load_last_movement(session)
        if snapshot is None or _texts_source(snapshot.publication) != _texts_source(publication):
            catalogue = catalogue.with_texts(self._load_texts(publication))
        elif catalogue.texts is not snapshot.texts:
            catalogue = catalogue.with_texts(snapshot.texts)
        self._last_movement = last_movement  # at the end: what fails before is read again
        return catalogue

    def _load_changed_stocks(self, session: Session) -> tuple[dict[int, int], int]:
        """Return the stocks, by id, that may differ from the snapshot's, and the last movement that they include."""
        if self._database.engine.dialect.name != "sqlite":
            return load_stocks(session), 0  # an earlier movement may be committed later
        return load_moved_stocks(session, self._last_movement)


def _texts_source(publication: Publication) -> tuple[int, str]:
    """Return what decides whether the texts of a model are those of the books."""
    return publication.model_version, publication.origin


def _have_same_books(one: Publication, other: Publication) -> bool:
    return replace(one, stock_version=other.stock_version, model_version=other.model_version) == other
