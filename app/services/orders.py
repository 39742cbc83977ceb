"""Orders: placed, changed, found and listed."""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from app.core.accounts import BY_PAYMENT
from app.core.errors import (
    FieldProblem,
    KeyReused,
    OrderNotFound,
    OutOfStock,
    PaymentDenied,
    PaymentFailed,
    PaymentTimedOut,
    ProductsNotFound,
    RequestInFlight,
    ShopError,
    VersionMismatch,
)
from app.core.orders import (
    GIVEN_BACK,
    Line,
    Order,
    OrderItem,
    OrderStatus,
    PaymentStatus,
    check_transition,
    merge_lines,
    new_order_id,
    total_of,
)
from app.observability.metrics import Metrics
from app.services.finalize_order import REASONS, Answers, Conclusion
from app.services.payments import Payments
from app.services.process_identity import own_identity
from app.services.reconcile_payments import Settlement
from app.storage import idempotency, orders, stock
from app.storage.catalogue_store import CatalogueStore
from app.storage.database import Database
from app.storage.idempotency import KeyUse
from app.storage.orders import OrderFilter
from app.storage.stock import BookOnSale

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What a customer wants to buy; `lines` as they were sent."""

    customer_id: str
    lines: tuple[Line, ...]
    notes: str | None = None
    token: str | None = None


@dataclass(frozen=True, slots=True)
class Placed:
    """What a request to place an order is answered; `replayed` where an earlier one was answered it first."""

    answer: dict[str, Any]
    replayed: bool = False


class Orders:
    """Sells the books of the catalogue. Holds no state of its own: the database decides every race.

    A purchase is two transactions with the payment between them: reserve, then confirm or release.
    """

    def __init__(
        self,
        database: Database,
        catalogue: CatalogueStore,
        payments: Payments,
        answers: Answers,
        metrics: Metrics,
        settle_after: timedelta,
        give_up_after: timedelta,
    ) -> None:
        """The times are as `Settlement` has them."""
        self._database = database
        self._payments = payments
        self._answers = answers
        self._conclusion = Conclusion(database, catalogue, answers, metrics)
        self._settlement = Settlement(database, payments, self._conclusion, settle_after, give_up_after)

    def place(self, draft: Draft, use: KeyUse | None, by: str) -> Placed:
        """Buy what `draft` says.

        Raises ProductsNotFound or OutOfStock, with every line to blame, PaymentDenied, PaymentFailed or
        PaymentTimedOut, after all of which the stock is as it was; KeyReused and RequestInFlight.
        """
        reserved = self._reserve(draft, use, by)
        if isinstance(reserved, Placed):
            return reserved
        decision = self._payments.authorise(reserved, draft.token)
        try:
            order = self._conclusion.conclude(reserved, decision, BY_PAYMENT)
        except SQLAlchemyError:
            self._settlement.leave(reserved.id)
            raise
        log.info(
            "order_concluded",
            extra={"order_id": order.id, "outcome": order.status.value, "total": str(order.total)},
        )
        if order.status is OrderStatus.PAYMENT_DENIED:
            raise PaymentDenied
        if order.status is OrderStatus.FAILED:
            raise PaymentTimedOut if decision is None else PaymentFailed
        return Placed(self._answers.placed(order))

    def change(
        self,
        order_id: str,
        status: OrderStatus | None,
        fields: Mapping[str, str | None],
        versions: Collection[str] | None,
        by: str,
    ) -> Order:
        """Move an order to `status` and set `customer_id` or `notes`, both or either.

        Raises OrderNotFound, TransitionNotAllowed, or VersionMismatch where its version is none of `versions`.
        """
        now = datetime.now(UTC)
        stock_version = None
        with self._database.writing() as session:
            order = orders.find_order(session, order_id, lock=True)
            if order is None:
                raise OrderNotFound
            if versions is not None and str(order.version) not in versions:
                raise VersionMismatch(order.version)
            changed = {name: value for name, value in fields.items() if getattr(order, name) != value}
            if changed:
                orders.edit_order(session, order_id, changed, now)
            if status is not None and status is not order.status:
                check_transition(order.status, status)
                stock_version = self._move(session, order, status, now, by)
            after = orders.reload_order(session, order_id)
        if stock_version is not None:
            self._conclusion.show(stock_version)
        log.info("order_changed", extra={"order_id": order_id, "outcome": after.status.value, "by": by})
        return after

    def answered(self, use: KeyUse) -> Placed | None:
        """What an earlier request with this key was answered; None where there was none. Raises as `place`."""
        with self._database.reading() as session:
            known = idempotency.find_key(session, use.key, datetime.now(UTC))
        return None if known is None else _replay(use, known)

    def order(self, order_id: str) -> Order:
        """One order with its history. Raises OrderNotFound."""
        with self._database.reading() as session:
            order = orders.find_order(session, order_id)
        if order is None:
            raise OrderNotFound
        return order

    def orders(self, wanted: OrderFilter, offset: int, limit: int) -> tuple[list[Order], int]:
        """Orders from the newest on, and how many there are."""
        with self._database.reading() as session:
            return orders.list_orders(session, wanted, offset, limit)

    def settle(self) -> None:
        """Settle what crashes left between reserve and confirm, and give back the payments that are due."""
        self._settlement.settle()

    def forget_old_keys(self) -> None:
        """Let go of the idempotency keys that are no longer kept."""
        with self._database.writing() as session:
            idempotency.forget_old_keys(session, datetime.now(UTC))

    def _reserve(self, draft: Draft, use: KeyUse | None, by: str) -> Order | Placed:
        """The first transaction: the order waits for its payment, with its copies out of everybody's reach."""
        now = datetime.now(UTC)
        with self._database.writing() as session:
            if use is not None:
                known = idempotency.claim_key(session, use, now)
                if known is not None:
                    return _replay(use, known)
            lines = merge_lines(draft.lines)
            wanted = [line.product_id for line in lines]
            on_sale = stock.lock_books_on_sale(session, wanted)
            if len(on_sale) < len(wanted):
                # Once more: a publication that was waited for may have replaced rows by others of the same ids.
                on_sale = stock.lock_books_on_sale(session, wanted)
            error = _why_not(draft, lines, on_sale)
            if error is None:
                order = _new_order(draft, lines, on_sale, now)
                orders.insert_order(session, order, own_identity(), by)
                stock.take(session, lines, order.id, now)
                if use is not None:
                    idempotency.bind_key(session, use.key, order.id)
                stock.next_stock_version(session)
            elif use is not None:
                idempotency.remember_answer(session, use.key, self._answers.refused(error))
        if error is not None:
            raise error
        return order

    def _move(self, session: Session, order: Order, after: OrderStatus, now: datetime, by: str) -> int | None:
        """Move a locked order; the stock's version where it changed."""
        returns = after in GIVEN_BACK
        payment = PaymentStatus.VOIDING if returns else order.payment_status
        if not orders.move_order(session, order, after, payment, now, by):
            raise RuntimeError("a locked order was changed")
        if not returns:
            return None
        stock.give_back(session, order.id, REASONS[after], now)
        return stock.next_stock_version(session)


def _replay(use: KeyUse, known: idempotency.Remembered) -> Placed:
    if known.body_digest != use.body_digest:
        raise KeyReused
    if known.answer is None:
        raise RequestInFlight
    return Placed(known.answer, replayed=True)


def _why_not(draft: Draft, lines: list[Line], on_sale: Mapping[int, BookOnSale]) -> ShopError | None:
    """What keeps the order from being placed, with every line to blame."""
    missing = [
        FieldProblem(f"items[{place}].product_id", f"o produto {line.product_id} não existe")
        for place, line in enumerate(draft.lines)
        if line.product_id not in on_sale
    ]
    if missing:
        return ProductsNotFound(missing)
    wanted = {line.product_id: line.quantity for line in lines}
    short = [
        FieldProblem(
            f"items[{place}].quantity",
            f"pedidos {wanted[line.product_id]} do produto {line.product_id}, "
            f"disponíveis {on_sale[line.product_id].stock}",
        )
        for place, line in enumerate(draft.lines)
        if wanted[line.product_id] > on_sale[line.product_id].stock
    ]
    return OutOfStock(short) if short else None


def _new_order(draft: Draft, lines: list[Line], on_sale: Mapping[int, BookOnSale], now: datetime) -> Order:
    items = tuple(
        OrderItem(
            line.product_id, on_sale[line.product_id].name, line.quantity, on_sale[line.product_id].price
        )
        for line in lines
    )
    return Order(
        id=new_order_id(),
        customer_id=draft.customer_id,
        items=items,
        total=total_of(items),
        status=OrderStatus.AWAITING_PAYMENT,
        payment_status=PaymentStatus.PENDING,
        notes=draft.notes,
        created_at=now,
        updated_at=now,
        version=1,
    )
