"""Whether the shop can serve."""

import logging
import shutil
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from sqlalchemy.exc import SQLAlchemyError

from app.core.errors import Unavailable
from app.core.runs import status_word
from app.storage import scraping
from app.storage.catalogue_store import CatalogueStore, NothingPublished
from app.storage.database import Database
from app.storage.faults import SENTENCES, Fault, fault_of, reason_of

log = logging.getLogger(__name__)

ANSWER_WITHIN_S = 0.75
MIN_FREE_BYTES = 1_000_000
"""Free space of the data directory below which the disk counts as full."""
_lookers = ThreadPoolExecutor(max_workers=2, thread_name_prefix="health")
"""Threads that may hang with what they look at; it protects itself, and holds a look for each waiting request."""


def check_health(database: Database, data_dir: Path) -> str:
    """Return the status of the newest scrape. Raises Unavailable, and logs why, where the shop can't serve.

    It only reads: whether the database answers at once, what the last write failed of, and the free space.
    """
    look = _lookers.submit(_look, database, data_dir)
    fault: Fault | None
    try:
        status, fault = look.result(ANSWER_WITHIN_S)
        reason = str(fault)
    except TimeoutError:
        look.cancel()
        fault, reason = Fault.UNREACHABLE, f"{Fault.UNREACHABLE}: no answer within {ANSWER_WITHIN_S} s"
    except (SQLAlchemyError, OSError) as error:
        fault, reason = fault_of(error) or Fault.UNREACHABLE, reason_of(error) or repr(error)
    if fault is not None:
        log.error("health_check_failed", extra={"reason": reason})
        raise Unavailable(SENTENCES[fault])
    return status


def reasons_not_to_serve(
    database: Database, data_dir: Path, catalogue: CatalogueStore, draining: threading.Event
) -> list[str]:
    """Return why this process should get no requests now, each reason a sentence."""
    reasons = []
    if draining.is_set():
        reasons.append("O processo está terminando.")
    try:
        check_health(database, data_dir)
    except Unavailable as unavailable:
        reasons.append(unavailable.detail)
    try:
        catalogue.current()
    except (NothingPublished, SQLAlchemyError):
        reasons.append("O catálogo não foi carregado.")
    return reasons


def _look(database: Database, data_dir: Path) -> tuple[str, Fault | None]:
    """Return the status of the newest scrape, and what prevents writing."""
    with database.reading(within_s=ANSWER_WITHIN_S) as session:
        status = status_word(scraping.RUNS.latest(session))
    if database.write_fault is None and shutil.disk_usage(data_dir).free < MIN_FREE_BYTES:
        return status, Fault.DISK_FULL
    return status, database.write_fault
