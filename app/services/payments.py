"""Calls to the payment gateway, bounded in time and number."""

from __future__ import annotations

import contextvars
import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import Any, TypeVar

from app.core.orders import Order
from app.core.payments import Decision, PaymentGateway
from app.observability.metrics import Metrics
from app.storage.faults import log_failure

log = logging.getLogger(__name__)

Result = TypeVar("Result")
MAX_AUTHORISATIONS = 64
"""More calls at once are refused, so that a gateway that hangs can't gather threads without end."""
MAX_RECONCILIATIONS = 8
"""Calls of the recovery are counted apart, so that authorisations that hang can't block it."""
SLOT_WAIT_S = 0.05
"""How long a call waits for others to end: many may begin at once, when a commit that they shared has ended."""
IDLE_S = 0.05
"""Idle time after which a thread ends."""


class GatewayUnavailable(Exception):
    """The gateway raised, returned nonsense, hung, or has too many calls in progress."""


class Payments:
    """Calls the gateway in another thread, which is abandoned where it hangs.

    The semaphores `_authorisations` and `_reconciliations` bound the calls in progress; nothing else is shared.
    """

    def __init__(
        self,
        gateway: PaymentGateway,
        timeout_s: float,
        metrics: Metrics,
        max_authorisations: int = MAX_AUTHORISATIONS,
    ) -> None:
        self._gateway = gateway
        self._timeout_s = timeout_s
        self._metrics = metrics
        self._threads = _Threads()
        self._authorisations = threading.BoundedSemaphore(max_authorisations)
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
        if not slots.acquire(timeout=SLOT_WAIT_S):
            log.error("payment_calls_exhausted", extra={"order_id": reference})
            raise GatewayUnavailable
        future: Future[Result] = Future()
        try:
            self._threads.run(call, future, slots.release)
        except RuntimeError as error:
            slots.release()
            log.exception("payment_thread_refused", extra={"order_id": reference})
            raise GatewayUnavailable from error
        try:
            raised = future.exception(self._timeout_s)
        except TimeoutError:
            log.warning("payment_timed_out", extra={"order_id": reference})
            raise
        if raised is not None:
            log_failure(log, "payment_gateway_failed", raised, order_id=reference)
            raise GatewayUnavailable from raised
        return future.result()


class _Threads:
    """Threads for calls that may hang, used again and again; one that has had no call for IDLE_S seconds ends.

    `_idle` are the inboxes of those that wait for a call, the last used last; `_lock` protects it.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._idle: list[SimpleQueue[_Job]] = []

    def run(self, call: Callable[[], Result], future: Future[Result], done: Callable[[], None]) -> None:
        """Run `call` in another thread, then `done`. Raises RuntimeError where there is no room for a thread."""
        job = _Job(
            contextvars.copy_context(), call, future, done
        )  # for the request's id in the gateway's logs
        with self._lock:
            inbox = self._idle.pop() if self._idle else None
        if inbox is not None:
            inbox.put(job)
            return
        inbox = SimpleQueue()
        inbox.put(job)
        threading.Thread(target=self._serve, args=(inbox,), name="payment-calls", daemon=True).start()

    def _serve(self, inbox: SimpleQueue[_Job]) -> None:
        while True:
            try:
                job = inbox.get(timeout=IDLE_S)
            except Empty:
                with self._lock:
                    if inbox in self._idle:
                        self._idle.remove(inbox)
                        return
                continue  # it was taken just now: a call follows
            try:
                result, error = job.context.run(job.call), None
            except BaseException as raised:  # noqa: BLE001 - the caller raises it
                result, error = None, raised
            with self._lock:
                self._idle.append(inbox)
            job.done()
            # Last: a caller that goes on finds this thread idle.
            if error is None:
                job.future.set_result(result)
            else:
                job.future.set_exception(error)


@dataclass(frozen=True, slots=True)
class _Job:
    context: contextvars.Context
    call: Callable[[], Any]
    future: Future[Any]
    done: Callable[[], None]
