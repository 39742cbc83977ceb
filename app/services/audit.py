"""The audit of the stock, its ledger and the orders."""

import logging

from app.observability.metrics import Metrics
from app.storage.audit import find_mismatches
from app.storage.database import Database

log = logging.getLogger(__name__)

WITHIN_S = 120.0
"""Seconds that each of its statements may take: it reads all that was ever sold."""


def audit(database: Database, metrics: Metrics) -> list[str]:
    """Return a sentence for each mismatch, after logging and counting them."""
    with database.reading(within_s=WITHIN_S) as session:
        mismatches = find_mismatches(session, database.now(session))
    metrics.set_mismatches(len(mismatches))
    for mismatch in mismatches:
        log.error("audit_mismatch", extra={"mismatch": mismatch})
    return mismatches
