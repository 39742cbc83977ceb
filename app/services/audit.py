"""The audit of the stock, its ledger and the orders."""

import logging
from datetime import UTC, datetime

from app.observability.metrics import Metrics
from app.storage.audit import find_mismatches
from app.storage.database import Database

log = logging.getLogger(__name__)


def audit(database: Database, metrics: Metrics) -> list[str]:
    """Return a sentence for each mismatch, after logging and counting them."""
    with database.reading() as session:
        mismatches = find_mismatches(session, datetime.now(UTC))
    metrics.set_mismatches(len(mismatches))
    for mismatch in mismatches:
        log.error("audit_mismatch", extra={"mismatch": mismatch})
    return mismatches
