"""Whether the shop can serve."""

import logging

from sqlalchemy.exc import SQLAlchemyError

from app.core.runs import status_word
from app.services.scraping import Scrapes

log = logging.getLogger(__name__)


def check_health(scrapes: Scrapes) -> str | None:
    """Return the status of the newest scrape; None, and log why, where the database does not answer."""
    try:
        return status_word(scrapes.latest())
    except SQLAlchemyError:
        log.exception("health_check_failed")
        return None
