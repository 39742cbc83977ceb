"""Orders: placed, changed, found and listed."""

import logging
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

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
    RELEASED,
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
from app.processes import own_identity
from app.services.finalize_order import RELEASE_REASONS, OrderFinalizer
from app.services.payments import Payments
from app.services.reconcile_payments import PaymentReconciler
from app.storage import idempotency, orders, stock
from app.storage.catalogue_store import CatalogueStore
from app.storage.database import Database
from app.storage.idempotency import IdempotencyKey, KeyRecord
from app.storage.orders import OrderFilter, OrderPlace
from app.storage.stock import BookOnSale

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """An order that a customer asks for; `lines` as they were sent."""

    customer_id: str
    lines: tuple[Line, ...]
    notes: str | None = None
    token: str | None = None


@dataclass(frozen=True, slots=True)
class Placed:
    """A placed order; `replayed` where an earlier request with the same key placed it."""

    order: Order
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
        metrics: Metrics,
        abandoned_after: timedelta,
        give_up_after: timedelta,
    ) -> None:
        """Take the times as `PaymentReconciler` does."""
        self._database = database
        self._payments = payments
        self._finalizer = OrderFinalizer(database, catalogue, metrics)
        self._reconciler = PaymentReconciler(
            database, payments, self._finalizer, abandoned_after, give_up_after
        )

    def place(self, draft: Draft, key: IdempotencyKey | None, by: str) -> Placed:
        """Buy what `draft` says.

        Raises ProductsNotFound or OutOfStock, with every line to blame, PaymentDenied, PaymentFailed or
        PaymentTimedOut, having restored the stock; KeyReused and RequestInFlight.
        """
        reservation = self._database.write(lambda session: self._reserve(session, draft, key, by))
        if isinstance(reservation, Placed):
            return reservation
        if isinstance(reservation, ShopError):
            raise reservation
        reserved, stock_version = reservation
        try:
            decision = self._payments.authorise(reserved, draft.token)
            order = self._finalizer.finalize(reserved, decision, BY_PAYMENT)
        except BaseException:
            self._reconciler.abandon(reserved.id)
            raise
        self._finalizer.refresh_stocks(stock_version)
        log.info(
            "order_finalized",
            extra={"order_id": order.id, "outcome": order.status.value, "total": str(order.total)},
        )
        if order.status is OrderStatus.PAYMENT_DENIED:
            raise PaymentDenied
        if order.status is OrderStatus.FAILED:
            raise PaymentTimedOut if decision is None else PaymentFailed
        return Placed(order)

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
        changed, stock_version = self._database.write(
            lambda session: self._change(session, order_id, status, fields, versions, by)
        )
        if stock_version is not None:
            self._finalizer.refresh_stocks(stock_version)
        log.info("order_changed", extra={"order_id": order_id, "outcome": changed.status.value, "by": by})
        return changed

    def order(self, order_id: str) -> Order:
        """Return one order with its history. Raises OrderNotFound."""
        with self._database.reading() as session:
            order = orders.find_order(session, order_id)
        if order is None:
            raise OrderNotFound
        return order

    def orders(
        self, order_filter: OrderFilter, offset: int, limit: int, after: OrderPlace | None = None
    ) -> tuple[list[Order], int]:
        """Return orders from the newest on, or from behind `after`, and how many there are."""
        with self._database.reading() as session:
            return orders.list_orders(session, order_filter, offset, limit, after)

    def reconcile(self) -> None:
        """Finalize what crashes left between reserve and confirm, and void the payments that are due."""
        self._reconciler.reconcile()

    def purge_keys(self) -> None:
        """Delete the idempotency keys that are no longer kept."""
        with self._database.writing() as session:
            idempotency.purge_keys(session, self._database.now(session))

    def _reserve(
        self, session: Session, draft: Draft, key: IdempotencyKey | None, by: str
    ) -> tuple[Order, int] | Placed | ShopError:
        """Reserve the copies in the first transaction: the order awaits its payment.

        Return it with the stock's version; what an earlier request with the key came to; or why it is refused.
        """
        now = self._database.now(session)
        if key is not None:
            record = idempotency.claim_key(session, key, now)
            if record is not None:
                return _replay(key, record)
        lines = merge_lines(draft.lines)
        on_sale = self._lock_books(session, [line.product_id for line in lines])
        refusal = _refusal(draft, lines, on_sale)
        if refusal is not None:
            if key is not None:
                idempotency.store_refusal(session, key.key, refusal)
            return refusal
        order = _new_order(draft, lines, on_sale, now)
        orders.insert_order(session, order, own_identity(), by)
        stock.reserve(session, lines, order.id, now)
        if key is not None:
            idempotency.link_order(session, key.key, order.id)
        return order, stock.next_stock_version(session)

    def _lock_books(self, session: Session, ids: Sequence[int]) -> dict[int, BookOnSale]:
        """Return the books that are on sale, by id, locked until the transaction ends."""
        on_sale = stock.lock_books_on_sale(session, ids)
        if len(on_sale) < len(ids):
            # Once more: a publication that was waited for may have replaced rows by others of the same ids.
            on_sale = stock.lock_books_on_sale(session, ids)
        return on_sale

    def _change(
        self,
        session: Session,
        order_id: str,
        status: OrderStatus | None,
        fields: Mapping[str, str | None],
        versions: Collection[str] | None,
        by: str,
    ) -> tuple[Order, int | None]:
        """Return the changed order, and the stock's version where this has changed it."""
        now = self._database.now(session)
        stock_version = None
        order = orders.find_order(session, order_id, lock=True)
        if order is None:
            raise OrderNotFound
        if versions is not None and str(order.version) not in versions:
            raise VersionMismatch(order.version)
        edits = {name: value for name, value in fields.items() if getattr(order, name) != value}
        if edits:
            orders.edit_order(session, order, edits, now, by)
        if status is not None and status is not order.status:
            check_transition(order.status, status)
            stock_version = self._move(session, order, status, now, by)
        return orders.get_order(session, order_id), stock_version

    def _move(
        self, session: Session, order: Order, status: OrderStatus, now: datetime, by: str
    ) -> int | None:
        """Move a locked order; return the stock's version where it changed."""
        releases = status in RELEASED
        payment = PaymentStatus.VOIDING if releases else order.payment_status
        if orders.move_order(session, order, status, payment, now, by) is None:
            raise RuntimeError("a locked order was changed")
        if not releases:
            return None
        stock.release(session, order.id, RELEASE_REASONS[status], now)
        return stock.next_stock_version(session)


def _replay(key: IdempotencyKey, record: KeyRecord) -> Placed:
    """Return or raise what the first request with this key came to."""
    if record.body_digest != key.body_digest:
        raise KeyReused
    if record.refusal is not None:
        record.refusal.replayed = True
        raise record.refusal
    if record.order is None:
        raise RequestInFlight
    return Placed(record.order, replayed=True)


def _refusal(draft: Draft, lines: list[Line], on_sale: Mapping[int, BookOnSale]) -> ShopError | None:
    """Return why the order can't be placed, with every line to blame; None where it can."""
    missing = [
        FieldProblem(f"items[{place}].product_id", f"o produto {line.product_id} não existe")
        for place, line in enumerate(draft.lines)
        if line.product_id not in on_sale
    ]
    if missing:
        return ProductsNotFound(missing)
    quantities = {line.product_id: line.quantity for line in lines}
    short = [
        FieldProblem(
            f"items[{place}].quantity",
            f"pedidos {quantities[line.product_id]} do produto {line.product_id}, "
            f"disponíveis {on_sale[line.product_id].stock}",
        )
        for place, line in enumerate(draft.lines)
        if quantities[line.product_id] > on_sale[line.product_id].stock
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
