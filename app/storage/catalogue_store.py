"""The published catalogue of this process."""

from dataclasses import replace

from app.core.catalogue import Catalogue, Publication
from app.storage.catalogue import load_catalogue, load_publication, load_stocks
from app.storage.database import Database
from app.storage.polled import CHECK_EVERY_S, Polled


class CatalogueStore(Polled[Catalogue]):
    """The snapshot of the published catalogue; its methods raise RuntimeError before the first publication."""

    def __init__(self, database: Database, check_every_s: float = CHECK_EVERY_S) -> None:
        super().__init__(self._load_changed, "catalogue_check_failed", check_every_s)
        self._database = database

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
                raise RuntimeError("no catalogue was ever published in this database")
            if snapshot is not None and _differ_in_stocks_only(publication, snapshot.publication):
                return snapshot.with_stocks(load_stocks(session), publication)
            return load_catalogue(session, publication)


def _differ_in_stocks_only(one: Publication, other: Publication) -> bool:
    return replace(one, stock_version=other.stock_version) == other
