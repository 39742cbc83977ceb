"""The specification of orders as a simple model: dictionaries instead of SQL, and copies counted one by one."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import ClassVar

from app.core.orders import Order, OrderStatus, PaymentStatus
from app.core.payments import Decision
from app.services.payments import Payments
from tests.support.gateway import InMemoryGateway

Basket = dict[str, int]
"""Copies of each book, by name."""
Outcome = dict[str, str]
"""`placed` with the order's id, or `refused` with the error's name."""

_S, _P = OrderStatus, PaymentStatus
NEXT = {
    _S.PENDING: (_S.PROCESSED, _S.SHIPPED, _S.CANCELLED),
    _S.PROCESSED: (_S.SHIPPED, _S.CANCELLED),
    _S.SHIPPED: (_S.DELIVERED, _S.RETURNED),
    _S.DELIVERED: (_S.RETURNED,),
}
WAITING = {_S.AWAITING_PAYMENT, _S.PENDING, _S.PROCESSED}
OUTCOMES: dict[Decision | None, tuple[OrderStatus, PaymentStatus]] = {
    Decision.APPROVED: (_S.PENDING, _P.APPROVED),
    Decision.DENIED: (_S.PAYMENT_DENIED, _P.DENIED),
}


@dataclass
class Shelf:
    """A book: `counted` are the supplier's copies, promised or not."""

    id: int
    counted: int
    listed: bool = True


@dataclass
class Sale:
    """An order; `forgotten` if its books vanished with the demonstration catalogue."""

    id: str
    basket: Basket
    total: Decimal
    key: str | None
    status: OrderStatus = _S.AWAITING_PAYMENT
    payment: PaymentStatus = _P.PENDING
    version: int = 1
    forgotten: bool = False


@dataclass
class KeyRecord:
    """The request of an Idempotency-Key, and its outcome; None while its order waits for its payment."""

    body: str
    order_id: str | None = None
    outcome: Outcome | None = None


@dataclass
class Model:
    prices: dict[str, Decimal]
    demonstration: bool = False
    books: dict[str, Shelf] = field(default_factory=dict)
    sales: dict[str, Sale] = field(default_factory=dict)  # the one changed last comes last
    keys: dict[str, KeyRecord] = field(default_factory=dict)

    def free(self, name: str) -> int:
        """Return the supplier's copies less those promised; negative where copies were promised twice."""
        promised = (
            sale.basket.get(name, 0)
            for sale in self.sales.values()
            if sale.status in WAITING and not sale.forgotten
        )
        return self.books[name].counted - sum(promised)

    def refusal(self, key: str | None, body: str, basket: Basket) -> str | Outcome | None:
        """Return the error's name or the earlier outcome that a request gets, None where it places an order."""
        record = self.keys.get(key) if key else None
        if record is not None:
            return "KeyReused" if record.body != body else record.outcome or "RequestInFlight"
        if any(name not in self.books or not self.books[name].listed for name in basket):
            return "ProductsNotFound"
        if any(quantity > self.free(name) for name, quantity in basket.items()):
            return "OutOfStock"
        return None

    def refuse(self, key: str | None, body: str, error: str) -> None:
        """Record the refusal of a new key."""
        if key and key not in self.keys:
            self.keys[key] = KeyRecord(body, outcome={"refused": error})

    def reserve(self, order_id: str, key: str | None, body: str, basket: Basket) -> None:
        total = sum((self.prices[name] * quantity for name, quantity in basket.items()), Decimal(0))
        self.sales[order_id] = Sale(order_id, basket, total, key)
        if key:
            self.keys[key] = KeyRecord(body, order_id)

    def finalize(self, order_id: str, decision: Decision | None) -> str | Outcome:
        """Finalize an order that waits for its payment; return the customer's outcome or the error's name."""
        sale = self.sales[order_id]
        if sale.status is _S.AWAITING_PAYMENT:
            after, payment = OUTCOMES.get(decision, (_S.FAILED, _P.VOIDING))
            self._move(sale, after, payment)
            if sale.key and after is _S.FAILED:
                del self.keys[sale.key]
            elif sale.key:
                denied = {"refused": "PaymentDenied"}
                self.keys[sale.key].outcome = denied if after is _S.PAYMENT_DENIED else {"placed": sale.id}
        outcomes: dict[OrderStatus, str | Outcome] = {
            _S.FAILED: "PaymentTimedOut" if decision is None else "PaymentFailed",
            _S.PAYMENT_DENIED: "PaymentDenied",
        }
        return outcomes.get(sale.status, {"placed": sale.id})

    def allowed(self) -> list[tuple[str, OrderStatus]]:
        """Return the changes of status that clerks may make, as pairs of an order's id and a status."""
        return [(sale.id, after) for sale in self.sales.values() for after in NEXT.get(sale.status, ())]

    def change(self, order_id: str, after: OrderStatus) -> bool:
        """Change an order's status as a clerk does; return False where that is not allowed."""
        sale = self.sales[order_id]
        if after is sale.status:
            return True
        if after not in NEXT.get(sale.status, ()):
            return False
        self._move(sale, after, _P.VOIDING if after in {_S.CANCELLED, _S.RETURNED} else sale.payment)
        return True

    def reconciling(self, gateway: FakeGateway, *, all_abandoned: bool) -> Iterator[None]:
        """Reconcile the payments lazily, one transaction a step."""
        if all_abandoned:
            for sale in [sale for sale in self.sales.values() if sale.status is _S.AWAITING_PAYMENT]:
                self.finalize(sale.id, None if gateway.away else gateway.decisions.get(sale.id))
                yield
        for sale in [sale for sale in self.sales.values() if sale.payment is _P.VOIDING]:
            if gateway.away:
                return
            sale.payment = _P.VOIDED
            self._touch(sale)
            yield

    def publish(self, scraped: dict[str, int], failed: set[str]) -> None:
        """Publish a scrape: the supplier's counts of the books, and the books whose page failed."""
        if not scraped:
            return  # refused
        if self.demonstration:
            self.demonstration = False
            self.books.clear()
            for sale in self.sales.values():
                sale.forgotten = True
        for name, shelf in self.books.items():
            shelf.listed = name in scraped or (shelf.listed and name in failed)
        for name, counted in scraped.items():
            self.books.setdefault(name, Shelf(len(self.books), counted)).counted = counted

    def _move(self, sale: Sale, after: OrderStatus, payment: PaymentStatus) -> None:
        for name, quantity in sale.basket.items():
            if not sale.forgotten and after is _S.SHIPPED:
                self.books[name].counted -= quantity
            if not sale.forgotten and after is _S.RETURNED:
                self.books[name].counted += quantity
        sale.status, sale.payment = after, payment
        self._touch(sale)

    def _touch(self, sale: Sale) -> None:
        sale.version += 1
        self.sales[sale.id] = self.sales.pop(sale.id)


class FakeGateway(InMemoryGateway):
    """A gateway whose decision the card names; while it is `away`, only new payments reach it.

    `lost` charges and loses the response; `slow` charges only after `let_go`.
    """

    CARDS: ClassVar[dict[str, Decision | None]] = {
        "approved": Decision.APPROVED,
        "denied": Decision.DENIED,
        "error": Decision.ERROR,
        "lost": Decision.ERROR,
        "broken": Decision.ERROR,
        "slow": None,
    }
    """The decision that the shop gets for each card; None where it gets none in time."""

    def __init__(self) -> None:
        self.away = False
        self.decisions: dict[str, Decision] = {}
        self.voided: set[str] = set()
        self._hanging: list[tuple[threading.Event, threading.Event]] = []

    def authorise(self, amount: Decimal, reference: str, token: str | None) -> Decision:
        if token == "slow":
            go, gone = threading.Event(), threading.Event()
            self._hanging.append((go, gone))
            assert go.wait(60)
            if reference not in self.voided:
                self.decisions[reference] = Decision.APPROVED
            gone.set()
            return Decision.APPROVED
        if token in {"approved", "lost"}:
            self.decisions[reference] = Decision.APPROVED
        if token in {"broken", "lost"}:
            raise ConnectionError(token)
        if token == "denied":
            self.decisions[reference] = Decision.DENIED
        return self.decisions.get(reference, Decision.ERROR)

    def decision(self, reference: str) -> Decision | None:
        if self.away:
            raise ConnectionError
        return self.decisions.get(reference)

    def void(self, reference: str) -> None:
        if self.away:
            raise ConnectionError
        self.voided.add(reference)

    def let_go(self) -> None:
        """Let the calls that hang end."""
        while self._hanging:
            go, gone = self._hanging.pop()
            go.set()
            assert gone.wait(60)

    def charged(self, order_id: str) -> bool:
        return self.decisions.get(order_id) is Decision.APPROVED and order_id not in self.voided


def ignore(*_: object) -> None:
    """Do nothing."""


class Killed(BaseException):
    """Ends the process."""


class WatchedPayments(Payments):
    """Calls `before` when copies are reserved, before the gateway, and `after` with the gateway's decision."""

    before: Callable[..., None]
    after: Callable[..., None]

    def authorise(self, order: Order, token: str | None) -> Decision | None:
        self.before(order)
        decision = super().authorise(order, token)
        self.after(order, decision)
        return decision
