"""Orders that nobody sees through their payment any more, and payments to be given back."""

from __future__ import annotations

import logging
import threading
from datetime import UTC, datetime, timedelta

from sqlalchemy.exc import SQLAlchemyError

from app.core.accounts import BY_RECOVERY
from app.core.orders import Order
from app.core.payments import Decision
from app.services.finalize_order import Conclusion
from app.services.payments import GatewayUnavailable, Payments
from app.services.process_identity import is_surely_dead
from app.storage import orders
from app.storage.database import Database

log = logging.getLogger(__name__)

SETTLED_AT_ONCE = 100
FAILURES_BORNE = 5
"""In one round: more mean that the gateway is away, and each may cost its whole time limit."""


class Settlement:
    """Run at the start of every process and every minute; several may run at once.

    `_left` are the orders that this process could not conclude; `_lock` protects it.
    """

    def __init__(
        self,
        database: Database,
        payments: Payments,
        conclusion: Conclusion,
        settle_after: timedelta,
        give_up_after: timedelta,
    ) -> None:
        """Orders older than `settle_after` are taken for abandoned; older than `give_up_after`, they are released
        although the gateway can't be asked about them."""
        self._database = database
        self._payments = payments
        self._conclusion = conclusion
        self._settle_after = settle_after
        self._give_up_after = give_up_after
        self._lock = threading.Lock()
        self._left: set[str] = set()

    def leave(self, order_id: str) -> None:
        """Settle an order in the next round although its process, this one, is alive."""
        with self._lock:
            self._left.add(order_id)

    def settle(self) -> None:
        """Settle what crashes left between reserve and confirm, then give back the payments that are due."""
        self._settle_abandoned()
        self._void_payments()

    def _settle_abandoned(self) -> None:
        with self._database.reading() as session:
            unsettled = orders.unsettled_orders(session, SETTLED_AT_ONCE)
        with self._lock:
            left = set(self._left)
        abandoned = datetime.now(UTC) - self._settle_after
        failures = 0
        for order, owner in unsettled:
            waits_for_nobody = order.id in left or order.created_at < abandoned
            if failures == FAILURES_BORNE or not (waits_for_nobody or is_surely_dead(owner)):
                continue
            try:
                self._settle_one(order)
            except (GatewayUnavailable, SQLAlchemyError):
                failures += 1
                log.exception("order_not_settled", extra={"order_id": order.id})

    def _settle_one(self, order: Order) -> None:
        """Raises GatewayUnavailable where the order can wait for the gateway to come back."""
        decision: Decision | None
        try:
            decision = self._payments.decision(order.id)
        except GatewayUnavailable:
            if order.created_at > datetime.now(UTC) - self._give_up_after:
                raise
            decision = None
        settled = self._conclusion.conclude(order, decision, BY_RECOVERY)
        with self._lock:
            self._left.discard(order.id)
        log.warning("order_settled", extra={"order_id": order.id, "outcome": settled.status.value})

    def _void_payments(self) -> None:
        """Give back the payments of orders that failed, were cancelled or returned."""
        failures, more = 0, True
        while more:
            with self._database.reading() as session:
                due = orders.orders_to_void(session, SETTLED_AT_ONCE)
            for order_id in due:
                if self._payments.void(order_id):
                    with self._database.writing() as session:
                        orders.record_void(session, order_id, datetime.now(UTC))
                    continue
                log.error("payment_not_voided", extra={"order_id": order_id})
                failures += 1
                if failures == FAILURES_BORNE:
                    return
            more = len(due) == SETTLED_AT_ONCE
