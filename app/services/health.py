"""Whether the shop can serve."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from sqlalchemy.exc import SQLAlchemyError

from app.core.catalogue import Catalogue
from app.core.scraping import ScrapeRun
from app.services.scraping import Scrapes
from app.storage.catalogue_store import CatalogueStore

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Health:
    """What a healthy shop serves, and its newest scrape."""

    scrape: ScrapeRun | None
    catalogue: Catalogue


def check_health(scrapes: Scrapes, catalogue: CatalogueStore) -> Health | None:
    """Return None, and log why, where the database does not answer."""
    try:
        return Health(scrapes.latest(), catalogue.current())
    except SQLAlchemyError:
        log.exception("health_check_failed")
        return None
