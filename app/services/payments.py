"""The shop's side of the payment gateway: every call bounded in time and number."""

from __future__ import annotations

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

Answer = TypeVar("Answer")
CALLS_AT_ONCE = 64
"""More calls than this are refused: a gateway that hangs must not gather threads without end."""


QUESTIONS_AT_ONCE = 8
"""Calls that settle orders have places of their own: customers whose payments hang must not take them."""


class GatewayUnavailable(Exception):
    """The gateway raised, answered nonsense, hung, or has too many calls to answer already."""


class Payments:
    """Asks the gateway, in a thread for each call, since only so can a call be abandoned when it hangs.

    `_free` and `_free_to_ask` count the calls that may still begin; nothing else is shared.
    """

    def __init__(self, gateway: PaymentGateway, timeout_s: float, metrics: Metrics) -> None:
        self._gateway = gateway
        self._timeout_s = timeout_s
        self._metrics = metrics
        self._free = threading.BoundedSemaphore(CALLS_AT_ONCE)
        self._free_to_ask = threading.BoundedSemaphore(QUESTIONS_AT_ONCE)

    def authorise(self, order: Order, token: str | None) -> Decision | None:
        """What the gateway decides about an order's payment; None where it did not answer in time."""
        started = time.perf_counter()
        decision: Decision | None
        try:
            decision = self._call(
                self._free,
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
        """What the gateway has decided; None where it has not. Raises GatewayUnavailable."""

        def ask() -> Decision | None:
            answer = self._gateway.decision(reference)
            return None if answer is None else Decision(answer)

        try:
            return self._call(self._free_to_ask, ask, reference)
        except TimeoutError as error:
            raise GatewayUnavailable from error

    def void(self, reference: str) -> bool:
        """Give a payment back; False where the gateway has not confirmed it."""
        try:
            self._call(self._free_to_ask, lambda: self._gateway.void(reference), reference)
        except (TimeoutError, GatewayUnavailable):
            return False
        return True

    def _call(self, free: threading.BoundedSemaphore, call: Callable[[], Answer], reference: str) -> Answer:
        """Raises TimeoutError or GatewayUnavailable."""
        if not free.acquire(blocking=False):
            log.error("payment_calls_exhausted", extra={"order_id": reference})
            raise GatewayUnavailable
        answer: Future[Answer] = Future()

        def run() -> None:
            try:
                answer.set_result(call())
            except Exception as error:  # noqa: BLE001 - whatever it is, the caller gets it
                answer.set_exception(error)
            finally:
                free.release()

        context = contextvars.copy_context()  # for the request's id in what the gateway logs
        thread = threading.Thread(
            target=context.run, args=(run,), name=f"payment-{reference[-6:]}", daemon=True
        )
        try:
            thread.start()
        except RuntimeError as error:
            free.release()
            log.exception("payment_thread_refused", extra={"order_id": reference})
            raise GatewayUnavailable from error
        if not wait([answer], self._timeout_s).done:
            log.warning("payment_timed_out", extra={"order_id": reference})
            raise TimeoutError
        try:
            return answer.result()
        except Exception as error:
            log.exception("payment_gateway_failed", extra={"order_id": reference})
            raise GatewayUnavailable from error
