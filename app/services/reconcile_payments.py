"""Recovery of orders whose process died before their payment ended, and of payments to be voided."""

import logging
import threading
import time
from datetime import datetime, timedelta

from sqlalchemy.exc import SQLAlchemyError

from app.core.accounts import BY_RECOVERY
from app.core.orders import Order
from app.core.payments import Decision
from app.processes import is_known_alive, is_known_dead
from app.services.finalize_order import OrderFinalizer
from app.services.payments import GatewayUnavailable, Payments
from app.storage import orders
from app.storage.database import Database
from app.storage.faults import log_failure

log = logging.getLogger(__name__)

BATCH_SIZE = 100
MAX_FAILURES = 5
"""In one round: more mean that the gateway is away, and each may cost its whole time limit."""
VOIDS_WITHIN_S = 30.0
"""Seconds of one round after which payments that are still to be voided wait for the next: a slow gateway may not
hold up the orders that were abandoned meanwhile."""


class PaymentReconciler:
    """Runs at the start of every process and every minute; several may run at once.

    `_abandoned` are the orders that this process could not finalize, `_seen` those that it has found awaiting their
    payment, by when it first did; `_lock` protects both.
    """

    def __init__(
        self,
        database: Database,
        payments: Payments,
        finalizer: OrderFinalizer,
        abandoned_after: timedelta,
        give_up_after: timedelta,
    ) -> None:
        """Treat orders older than `abandoned_after` as abandoned, and release them after `give_up_after`
        although the gateway can't be asked about them."""
        self._database = database
        self._payments = payments
        self._finalizer = finalizer
        self._abandoned_after = abandoned_after
        self._give_up_after = give_up_after
        self._lock = threading.Lock()
        self._abandoned: set[str] = set()
        self._seen: dict[str, float] = {}

    def abandon(self, order_id: str) -> None:
        """Reconcile an order in the next round although its process, this one, is alive."""
        with self._lock:
            self._abandoned.add(order_id)

    def reconcile(self) -> None:
        """Finalize what crashes left between reserve and confirm, then void the payments that are due."""
        self._reconcile_abandoned()
        self._void_payments()

    def _reconcile_abandoned(self) -> None:
        with self._lock:
            abandoned = set(self._abandoned)
        with self._database.reading() as session:
            awaiting = orders.orders_awaiting_payment(session, BATCH_SIZE)
            now = self._database.now(session)
        ids = [order.id for order, _ in awaiting]
        with self._lock:
            if len(awaiting) < BATCH_SIZE:  # these are all: another process has finalized the rest
                self._abandoned -= abandoned - {*ids}
            self._seen = {order_id: self._seen.get(order_id, time.monotonic()) for order_id in ids}
        failures = 0
        for order, owner in awaiting:
            if failures == MAX_FAILURES or not self._is_abandoned(order, owner, now):
                continue
            try:
                self._reconcile_order(order, now)
            except (GatewayUnavailable, SQLAlchemyError) as error:
                failures += 1
                log_failure(log, "order_not_reconciled", error, order_id=order.id)

    def _is_abandoned(self, order: Order, owner: str, now: datetime) -> bool:
        """Return whether the process that asks for an order's payment will not end it.

        The age of an order proves nothing of a process that is alive, since the clock may have been set. But where the
        answer to the commit of a reservation was lost, the process knows nothing of the order: so one that was seen
        waiting for as long, by a clock that can't be set, is abandoned too.
        """
        with self._lock:
            if order.id in self._abandoned:
                return True
            seen_for_s = time.monotonic() - self._seen[order.id]
        if is_known_dead(owner) or seen_for_s > self._abandoned_after.total_seconds():
            return True
        return order.created_at < now - self._abandoned_after and not is_known_alive(owner)

    def _reconcile_order(self, order: Order, now: datetime) -> None:
        """Finalize an order as the gateway decided. Raises GatewayUnavailable where it can wait for the gateway."""
        decision: Decision | None
        try:
            decision = self._payments.decision(order.id)
        except GatewayUnavailable:
            if order.created_at > now - self._give_up_after:
                raise
            decision = None
        finalized = self._finalizer.finalize(order, decision, BY_RECOVERY)
        with self._lock:
            self._abandoned.discard(order.id)
        log.warning("order_reconciled", extra={"order_id": order.id, "outcome": finalized.status.value})

    def _void_payments(self) -> None:
        """Void the payments of orders that failed, were cancelled or returned, as many as VOIDS_WITHIN_S allows."""
        deadline = time.monotonic() + VOIDS_WITHIN_S
        failures, more = 0, True
        while more:
            with self._database.reading() as session:
                due = orders.orders_to_void(session, BATCH_SIZE)
            for order_id in due:
                if time.monotonic() > deadline:
                    log.warning("payments_left_to_void")
                    return
                if self._payments.void(order_id):
                    self._record_void(order_id)
                    continue
                log.error("payment_not_voided", extra={"order_id": order_id})
                failures += 1
                if failures == MAX_FAILURES:
                    return
            more = len(due) == BATCH_SIZE

    def _record_void(self, order_id: str) -> None:
        self._database.write(
            lambda session: orders.record_void(session, order_id, self._database.now(session))
        )
