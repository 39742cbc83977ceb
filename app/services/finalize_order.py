"""The end of an order's payment: confirmed or released, exactly once."""

import logging
from datetime import datetime

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from app.core.errors import PaymentDenied
from app.core.orders import RELEASED, Order, OrderStatus, PaymentStatus
from app.core.payments import Decision
from app.observability.metrics import Metrics
from app.storage import idempotency, orders, stock
from app.storage.catalogue_store import CatalogueStore
from app.storage.database import Database
from app.storage.faults import log_failure
from app.storage.stock import Reason

log = logging.getLogger(__name__)

RELEASE_REASONS = {
    OrderStatus.CANCELLED: Reason.CANCELLED,
    OrderStatus.RETURNED: Reason.RETURNED,
    OrderStatus.PAYMENT_DENIED: Reason.PAYMENT_DENIED,
    OrderStatus.FAILED: Reason.FAILED,
}
_OUTCOMES = {
    Decision.APPROVED: (OrderStatus.PENDING, PaymentStatus.APPROVED),
    Decision.DENIED: (OrderStatus.PAYMENT_DENIED, PaymentStatus.DENIED),
    Decision.ERROR: (OrderStatus.FAILED, PaymentStatus.VOIDING),
    None: (OrderStatus.FAILED, PaymentStatus.VOIDING),
}


class OrderFinalizer:
    """Ends the payment of reserved orders, for their requests and for the recovery after a crash. Holds no state."""

    def __init__(self, database: Database, catalogue: CatalogueStore, metrics: Metrics) -> None:
        self._database = database
        self._catalogue = catalogue
        self._metrics = metrics

    def finalize(self, reserved: Order, decision: Decision | None, by: str) -> Order:
        """Confirm or release an order in one transaction and return it; a lost race is not an error."""
        finalized = self._database.write(
            lambda session: _finalize(session, reserved, decision, by, self._database.now(session))
        )
        if finalized is None:
            with self._database.reading() as session:
                return orders.get_order(session, reserved.id)
        order, stock_version = finalized
        if stock_version is not None:
            self.refresh_stocks(stock_version)
        self._metrics.count_order(
            order.status, float(order.total), sum(item.quantity for item in order.items)
        )
        return order

    def refresh_stocks(self, stock_version: int) -> None:
        """Show readers the stock that was just committed."""
        try:
            self._catalogue.ensure_stock_version(stock_version)
        except SQLAlchemyError as error:
            # The sale is committed; readers follow at their next look.
            log_failure(log, "stocks_not_shown", error)


def _finalize(
    session: Session, reserved: Order, decision: Decision | None, by: str, now: datetime
) -> tuple[Order, int | None] | None:
    """Return the order, and the stock's version where this has changed it; None where it was finalized before."""
    status, payment = _OUTCOMES[decision]
    order = orders.move_order(session, reserved, status, payment, now, by)
    if order is None:
        return None
    released = status in RELEASED
    if released:
        stock.release(session, order.id, RELEASE_REASONS[status], now)
    _store_outcome(session, order)
    return order, stock.next_stock_version(session) if released else None


def _store_outcome(session: Session, order: Order) -> None:
    """Store the final outcome for the request's key; a request that failed may be tried again under it."""
    if order.status is OrderStatus.FAILED:
        idempotency.release_key(session, order.id)
    else:
        denied = order.status is OrderStatus.PAYMENT_DENIED
        idempotency.store_outcome(session, order, PaymentDenied() if denied else None)
