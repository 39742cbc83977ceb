"""Calls to the payment gateway, bounded in time and number."""

import contextvars
import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, wait
from typing import TypeVar

from app.core.orders import Order
from app.core.payments import Decision, PaymentGateway
from app.observability.metrics import Metrics

log = logging.getLogger(__name__)

Result = TypeVar("Result")
MAX_AUTHORISATIONS = 64
"""More calls at once are refused, so that a gateway that hangs can't gather threads without end."""
MAX_RECONCILIATIONS = 8
"""Calls of the recovery are counted apart, so that authorisations that hang can't block it."""


class GatewayUnavailable(Exception):
    """The gateway raised, returned nonsense, hung, or has too many calls in progress."""


class Payments:
    """Calls the gateway in a thread for each call, which is abandoned where it hangs.

    The semaphores `_authorisations` and `_reconciliations` bound the calls in progress; nothing else is shared.
    """

    def __init__(self, gateway: PaymentGateway, timeout_s: float, metrics: Metrics) -> None:
        self._gateway = gateway
        self._timeout_s = timeout_s
        self._metrics = metrics
        self._authorisations = threading.BoundedSemaphore(MAX_AUTHORISATIONS)
        self._reconciliations = threading.BoundedSemaphore(MAX_RECONCILIATIONS)

    def authorise(self, order: Order, token: str | None) -> Decision | None:
        """Return the gateway's decision about an order's payment; None where it did not respond in time."""
        started = time.perf_counter()
        decision: Decision | None
        try:
            decision = self._call(
                self._authorisations,
                lambda: Decision(self._gateway.authorise(order.total, order.id, token)),
                order.id,
            )
        except TimeoutError:
            decision = None
        except GatewayUnavailable:
            decision = Decision.ERROR
        self._metrics.count_payment(decision, time.perf_counter() - started)
        return decision

    def decision(self, reference: str) -> Decision | None:
        """Return what the gateway has decided, None if nothing. Raises GatewayUnavailable."""

        def ask() -> Decision | None:
            decision = self._gateway.decision(reference)
            return None if decision is None else Decision(decision)

        try:
            return self._call(self._reconciliations, ask, reference)
        except TimeoutError as error:
            raise GatewayUnavailable from error

    def void(self, reference: str) -> bool:
        """Void a payment; return False where the gateway has not confirmed it."""
        try:
            self._call(self._reconciliations, lambda: self._gateway.void(reference), reference)
        except (TimeoutError, GatewayUnavailable):
            return False
        return True

    def _call(self, slots: threading.BoundedSemaphore, call: Callable[[], Result], reference: str) -> Result:
        """Return the result of `call`. Raises TimeoutError or GatewayUnavailable."""
        if not slots.acquire(blocking=False):
            log.error("payment_calls_exhausted", extra={"order_id": reference})
            raise GatewayUnavailable
        future: Future[Result] = Future()

        def run() -> None:
            try:
                future.set_result(call())
            except Exception as error:  # noqa: BLE001 - the caller raises it
                future.set_exception(error)
            finally:
                slots.release()

        context = contextvars.copy_context()  # for the request's id in what the gateway logs
        thread = threading.Thread(
            target=context.run, args=(run,), name=f"payment-{reference[-6:]}", daemon=True
        )
        try:
            thread.start()
        except RuntimeError as error:
            slots.release()
            log.exception("payment_thread_refused", extra={"order_id": reference})
            raise GatewayUnavailable from error
        if not wait([future], self._timeout_s).done:
            log.warning("payment_timed_out", extra={"order_id": reference})
            raise TimeoutError
        try:
            return future.result()
        except Exception as error:
            log.exception("payment_gateway_failed", extra={"order_id": reference})
            raise GatewayUnavailable from error
