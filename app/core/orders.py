"""What an order is: its lines, its exact total, the states it goes through and what each means for the stock."""

from __future__ import annotations

import base64
import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Final

from app.core.errors import TransitionNotAllowed

MAX_LINES = 100
MAX_QUANTITY = 1_000
"""Of one line, in copies. With the highest price a book may have, a total stays under 15 digits."""


class OrderStatus(StrEnum):
    """How an order stands. `PAYMENT_DENIED` and `FAILED` are of orders that never came to be."""

    AWAITING_PAYMENT = "awaiting_payment"
    PENDING = "pending"
    PROCESSED = "processed"
    SHIPPED = "shipped"
    DELIVERED = "delivered"
    CANCELLED = "cancelled"
    RETURNED = "returned"
    PAYMENT_DENIED = "payment_denied"
    FAILED = "failed"


class PaymentStatus(StrEnum):
    """How the payment of an order stands; `VOIDING` is one to be given back, or of which nothing was heard."""

    PENDING = "pending"
    APPROVED = "approved"
    DENIED = "denied"
    VOIDING = "voiding"
    VOIDED = "voided"


_ORDER_ID = re.compile("ORDER-[A-Z2-7]{26}")
_S = OrderStatus
TRANSITIONS: Final[dict[OrderStatus, frozenset[OrderStatus]]] = {
    _S.AWAITING_PAYMENT: frozenset({_S.PENDING, _S.PAYMENT_DENIED, _S.FAILED}),
    _S.PENDING: frozenset({_S.PROCESSED, _S.SHIPPED, _S.CANCELLED}),
    _S.PROCESSED: frozenset({_S.SHIPPED, _S.CANCELLED}),
    _S.SHIPPED: frozenset({_S.DELIVERED, _S.RETURNED}),
    _S.DELIVERED: frozenset({_S.RETURNED}),
    _S.CANCELLED: frozenset(),
    _S.RETURNED: frozenset(),
    _S.PAYMENT_DENIED: frozenset(),
    _S.FAILED: frozenset(),
}
REQUESTABLE: Final = (_S.PROCESSED, _S.SHIPPED, _S.DELIVERED, _S.CANCELLED, _S.RETURNED)
"""What a client may ask for; the others are the shop's own."""
RESERVED: Final = frozenset({_S.AWAITING_PAYMENT, _S.PENDING, _S.PROCESSED})
"""The copies are promised and still with the supplier, who counts them as there."""
GONE: Final = frozenset({_S.SHIPPED, _S.DELIVERED})
"""The copies have left."""
RELEASED: Final = frozenset({_S.CANCELLED, _S.RETURNED, _S.PAYMENT_DENIED, _S.FAILED})
"""The copies are on sale again. Nothing leads out of these, so that they come back exactly once."""


_P = PaymentStatus
PAYMENTS: Final[dict[OrderStatus, frozenset[PaymentStatus]]] = {
    _S.AWAITING_PAYMENT: frozenset({_P.PENDING}),
    _S.PENDING: frozenset({_P.APPROVED}),
    _S.PROCESSED: frozenset({_P.APPROVED}),
    _S.SHIPPED: frozenset({_P.APPROVED}),
    _S.DELIVERED: frozenset({_P.APPROVED}),
    _S.CANCELLED: frozenset({_P.VOIDING, _P.VOIDED}),
    _S.RETURNED: frozenset({_P.VOIDING, _P.VOIDED}),
    _S.PAYMENT_DENIED: frozenset({_P.DENIED}),
    _S.FAILED: frozenset({_P.VOIDING, _P.VOIDED}),
}
"""What the payment of an order in each state may be."""


@dataclass(frozen=True, slots=True)
class Line:
    """So many copies of a book."""

    product_id: int
    quantity: int


@dataclass(frozen=True, slots=True)
class OrderItem:
    """A line of an order, with the book's name and its price in pounds as they were when it was placed."""

    product_id: int
    name: str
    quantity: int
    unit_price: Decimal


@dataclass(frozen=True, slots=True)
class StatusChange:
    """`before` is None for the order's beginning; `by` is a user, or the part of the shop that did it."""

    before: OrderStatus | None
    after: OrderStatus
    at: datetime
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """`version` grows with every change, so that two clerks can't overwrite each other unseen."""

    id: str
    customer_id: str
    items: tuple[OrderItem, ...]
    total: Decimal
    status: OrderStatus
    payment_status: PaymentStatus
    notes: str | None
    created_at: datetime
    updated_at: datetime
    version: int
    history: tuple[StatusChange, ...] = ()


def is_order_id(text: str) -> bool:
    return _ORDER_ID.fullmatch(text) is not None


def new_order_id() -> str:
    """`ORDER-` and 26 characters (RFC 4648 base 32) of 128 random bits: who holds it may see the order."""
    return "ORDER-" + base64.b32encode(secrets.token_bytes(16)).decode().rstrip("=")


def merge_lines(lines: Iterable[Line]) -> list[Line]:
    """The lines with those of one book added up, by book: the one order in which books are locked."""
    quantities: dict[int, int] = {}
    for line in lines:
        quantities[line.product_id] = quantities.get(line.product_id, 0) + line.quantity
    return [Line(product_id, quantities[product_id]) for product_id in sorted(quantities)]


def total_of(items: Iterable[OrderItem]) -> Decimal:
    """The exact total in pounds."""
    return sum((item.unit_price * item.quantity for item in items), Decimal("0.00"))


def check_transition(before: OrderStatus, after: OrderStatus) -> None:
    """Raises TransitionNotAllowed."""
    if after in TRANSITIONS[before]:
        return
    allowed = [status.value for status in REQUESTABLE if status in TRANSITIONS[before]]
    if allowed:
        raise TransitionNotAllowed(before, after, f"pode passar a: {', '.join(allowed)}")
    waits = before is OrderStatus.AWAITING_PAYMENT
    raise TransitionNotAllowed(before, after, "espera o pagamento" if waits else "não muda mais")
