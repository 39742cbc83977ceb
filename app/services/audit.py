"""Whether the stock and the orders are as they must be."""

from __future__ import annotations

import logging
from datetime import UTC, datetime

from app.observability.metrics import Metrics
from app.storage.audit import find_mismatches
from app.storage.database import Database

log = logging.getLogger(__name__)


def audit(database: Database, metrics: Metrics) -> list[str]:
    """A sentence for each thing that is off; the log and the metrics are told too."""
    with database.reading() as session:
        mismatches = find_mismatches(session, datetime.now(UTC))
    metrics.count_mismatches(len(mismatches))
    for mismatch in mismatches:
        log.error("audit_mismatch", extra={"mismatch": mismatch})
    return mismatches
