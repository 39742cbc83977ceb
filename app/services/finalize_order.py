"""The end of an order's payment: confirmed or released, once, whoever gets there first."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from typing import Any, Protocol

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from app.core.errors import PaymentDenied, ShopError
from app.core.orders import GIVEN_BACK, Order, OrderStatus, PaymentStatus
from app.core.payments import Decision
from app.observability.metrics import Metrics
from app.storage import idempotency, orders, stock
from app.storage.catalogue_store import CatalogueStore
from app.storage.database import Database
from app.storage.stock import Reason

log = logging.getLogger(__name__)

REASONS = {
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


class Answers(Protocol):
    """How an answer is written, so that it can be kept with its Idempotency-Key; each is a JSON object."""

    def placed(self, order: Order) -> dict[str, Any]: ...

    def refused(self, error: ShopError) -> dict[str, Any]: ...


class Conclusion:
    """What the request that placed an order and the recovery after a crash both do. Holds no state."""

    def __init__(
        self, database: Database, catalogue: CatalogueStore, answers: Answers, metrics: Metrics
    ) -> None:
        self._database = database
        self._catalogue = catalogue
        self._answers = answers
        self._metrics = metrics

    def conclude(self, reserved: Order, decision: Decision | None, by: str) -> Order:
        """The second transaction: confirm or release. The order as it ended, whoever was faster to end it."""
        after, payment = _OUTCOMES[decision]
        now = datetime.now(UTC)
        with self._database.writing() as session:
            moved = orders.move_order(session, reserved, after, payment, now, by)
            if moved and after in GIVEN_BACK:
                stock.give_back(session, reserved.id, REASONS[after], now)
            order = orders.reload_order(session, reserved.id)
            if moved:
                self._remember(session, order)
                stock_version = stock.next_stock_version(session)
        if moved:
            self.show(stock_version)
            units = sum(item.quantity for item in order.items)
            self._metrics.count_order(after, float(order.total), units)
        return order

    def _remember(self, session: Session, order: Order) -> None:
        """Keep the final answer with the request's key; one that failed may be tried again under it."""
        if order.status is OrderStatus.FAILED:
            idempotency.forget_order_key(session, order.id)
            return
        denied = order.status is OrderStatus.PAYMENT_DENIED
        answer = self._answers.refused(PaymentDenied()) if denied else self._answers.placed(order)
        idempotency.remember_order_answer(session, order.id, answer)

    def show(self, stock_version: int) -> None:
        """Let readers see the stock that was just committed."""
        try:
            self._catalogue.catch_up_stocks(stock_version)
        except SQLAlchemyError:
            # What is sold is sold; readers follow at their next look.
            log.exception("stocks_not_shown")
