"""Orders: their lines, their exact total, their states and what each means for the stock."""

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
"""Copies of one line; with the highest price, a total stays under 15 digits."""


class OrderStatus(StrEnum):
    """The state of an order; `PAYMENT_DENIED` and `FAILED` mean that it was never accepted."""

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
    """The state of an order's payment; `VOIDING` means that a void is requested and not confirmed."""

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
"""States that a client may ask for; the shop itself sets the others."""
RESERVED: Final = frozenset({_S.AWAITING_PAYMENT, _S.PENDING, _S.PROCESSED})
"""States whose copies are reserved and not yet shipped: the supplier still counts them."""
DISPATCHED: Final = frozenset({_S.SHIPPED, _S.DELIVERED})
"""States whose copies were shipped."""
RELEASED: Final = frozenset({_S.CANCELLED, _S.RETURNED, _S.PAYMENT_DENIED, _S.FAILED})
"""States whose copies are on sale again; they are final, so that copies are released exactly once."""


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
"""The states of payment that each state of an order allows."""


@dataclass(frozen=True, slots=True)
class Line:
    """Copies of a book that a customer asks for."""

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
    """A step of an order's history; `before` is None for the first, `by` a user or a part of the shop.

    An edit leads from a status to itself; `fields` names what it changed, without the values, which are personal.
    """

    before: OrderStatus | None
    after: OrderStatus
    at: datetime
    by: str
    fields: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """An order; `version` grows with every change, for optimistic locking."""

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
    """Return `ORDER-` and 128 random bits in base 32 (RFC 4648): holding the id is the permission to read."""
    return "ORDER-" + base64.b32encode(secrets.token_bytes(16)).decode().rstrip("=")


def merge_lines(lines: Iterable[Line]) -> list[Line]:
    """Return the lines with equal books added up, ordered by book, which is the order of locking."""
    quantities: dict[int, int] = {}
    for line in lines:
        quantities[line.product_id] = quantities.get(line.product_id, 0) + line.quantity
    return [Line(product_id, quantities[product_id]) for product_id in sorted(quantities)]


def total_of(items: Iterable[OrderItem]) -> Decimal:
    """Return the exact total in pounds."""
    return sum((item.unit_price * item.quantity for item in items), Decimal("0.00"))


def check_transition(before: OrderStatus, after: OrderStatus) -> None:
    """Raise TransitionNotAllowed unless `before` may become `after`."""
    if after in TRANSITIONS[before]:
        return
    allowed = [status.value for status in REQUESTABLE if status in TRANSITIONS[before]]
    if allowed:
        raise TransitionNotAllowed(before, after, f"pode passar a: {', '.join(allowed)}")
    awaiting = before is OrderStatus.AWAITING_PAYMENT
    raise TransitionNotAllowed(before, after, "espera o pagamento" if awaiting else "não muda mais")
