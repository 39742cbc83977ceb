"""Whether the shop can serve."""

import logging
import threading

from sqlalchemy.exc import SQLAlchemyError

from app.core.runs import status_word
from app.services.scraping import Scrapes
from app.storage.catalogue_store import CatalogueStore

log = logging.getLogger(__name__)


def check_health(scrapes: Scrapes) -> str | None:
    """Return the status of the newest scrape; None, and log why, where the database does not answer."""
    try:
        return status_word(scrapes.latest())
    except SQLAlchemyError:
        log.exception("health_check_failed")
        return None


def reasons_not_to_serve(scrapes: Scrapes, catalogue: CatalogueStore, draining: threading.Event) -> list[str]:
    """Return why this process should get no requests now, each reason a sentence."""
    reasons = []
    if draining.is_set():
        reasons.append("O processo está terminando.")
    if check_health(scrapes) is None:
        reasons.append("O banco de dados não responde.")
    try:
        catalogue.current()
    except (RuntimeError, SQLAlchemyError):
        reasons.append("O catálogo não foi carregado.")
    return reasons
