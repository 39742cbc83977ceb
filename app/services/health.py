"""Whether the shop can serve."""

import logging
import shutil
from pathlib import Path

from sqlalchemy.exc import SQLAlchemyError

from app.core.errors import Unavailable
from app.core.runs import status_word
from app.storage import scraping
from app.storage.database import Database
from app.storage.faults import SENTENCES, Fault, fault_of, reason_of

log = logging.getLogger(__name__)

MIN_FREE_BYTES = 1_000_000
"""Free space of the data directory below which the disk counts as full."""


def check_health(database: Database, data_dir: Path) -> str:
    """Return the status of the newest scrape. Raises Unavailable, and logs why, where the shop can't serve.

    It only reads: whether the database answers at once, what the last write failed of, and the free space.
    """
    try:
        with database.glancing() as session:
            status = status_word(scraping.RUNS.latest(session))
        fault = database.write_fault
        if fault is None and shutil.disk_usage(data_dir).free < MIN_FREE_BYTES:
            fault = Fault.DISK_FULL
    except (SQLAlchemyError, OSError) as error:
        fault, reason = fault_of(error), reason_of(error)
        log.error("health_check_failed", extra={"reason": reason}, exc_info=reason is None)
        raise Unavailable(SENTENCES[fault or Fault.UNREACHABLE]) from None
    if fault is not None:
        log.error("health_check_failed", extra={"reason": fault.value})
        raise Unavailable(SENTENCES[fault])
    return status
