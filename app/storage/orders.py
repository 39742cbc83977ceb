"""Rows of the orders: `pedido`, its items and its history."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import ColumnElement, and_, bindparam, func, insert, or_, select, update
from sqlalchemy.orm import Session

from app.core.orders import (
    Order,
    OrderItem,
    OrderStatus,
    PaymentStatus,
    StatusChange,
    is_order_id,
)
from app.storage.models import OrderItemRow, OrderRow, StatusChangeRow
from app.storage.prepared import Prepared, insert_into

_INSERT_ORDER = insert_into(
    OrderRow,
    "id",
    "customer_id",
    "status",
    "payment_status",
    "total",
    "notes",
    "created_at",
    "updated_at",
    "version",
    "owner",
)
_INSERT_ITEM = insert_into(
    OrderItemRow, "order_id", "book_id", "name", "quantity", "unit_price", "in_catalogue"
)
_INSERT_CHANGE = insert_into(StatusChangeRow, "order_id", "before", "after", "at", "by")
_MOVE_ORDER = Prepared(
    update(OrderRow)
    .where(OrderRow.id == bindparam("order_id"), OrderRow.status == bindparam("before"))
    .values(
        status=bindparam("after"),
        payment_status=bindparam("payment"),
        updated_at=bindparam("now"),
        version=OrderRow.version + 1,
    )
    .returning(OrderRow.customer_id, OrderRow.notes, OrderRow.version)
)


@dataclass(frozen=True, slots=True)
class OrderFilter:
    """The orders to list; None matches all. The period includes `since` and excludes `until`."""

    status: OrderStatus | None = None
    customer_id: str | None = None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class OrderPlace:
    """The place of an order in the list, which stays where it is when others arrive."""

    created_at: datetime
    order_id: str


def insert_order(session: Session, order: Order, owner: str, by: str) -> None:
    """Store a new order, whose payment the process `owner` carries out."""
    _INSERT_ORDER.execute(
        session,
        {
            "id": order.id,
            "customer_id": order.customer_id,
            "status": order.status,
            "payment_status": order.payment_status,
            "total": order.total,
            "notes": order.notes,
            "created_at": order.created_at,
            "updated_at": order.updated_at,
            "version": order.version,
            "owner": owner,
        },
    )
    _INSERT_ITEM.execute_many(
        session,
        [
            {
                "order_id": order.id,
                "book_id": item.product_id,
                "name": item.name,
                "quantity": item.quantity,
                "unit_price": item.unit_price,
                "in_catalogue": True,
            }
            for item in order.items
        ],
    )
    _record_change(session, order.id, StatusChange(None, order.status, order.created_at, by))


def move_order(
    session: Session, order: Order, status: OrderStatus, payment: PaymentStatus, now: datetime, by: str
) -> Order | None:
    """Change an order's status and return it without its history; None where its status was changed before."""
    parameters = {
        "order_id": order.id,
        "before": order.status,
        "after": status,
        "payment": payment,
        "now": now,
    }
    row = _MOVE_ORDER.execute(session, parameters).one_or_none()
    if row is None:
        return None
    _record_change(session, order.id, StatusChange(order.status, status, now, by))
    customer_id, notes, version = row
    return replace(
        order,
        customer_id=customer_id,
        notes=notes,
        status=status,
        payment_status=payment,
        updated_at=now,
        version=version,
        history=(),
    )


def edit_order(
    session: Session, order: Order, changes: dict[str, str | None], now: datetime, by: str
) -> None:
    """Change `customer_id` or `notes`, and record who did."""
    session.execute(
        update(OrderRow)
        .where(OrderRow.id == order.id)
        .values(**changes, updated_at=now, version=OrderRow.version + 1)
    )
    session.execute(
        insert(StatusChangeRow).values(
            order_id=order.id,
            before=order.status,
            after=order.status,
            at=now,
            by=by,
            fields=sorted(changes),
        )
    )


def record_void(session: Session, order_id: str, now: datetime) -> None:
    """Record that the gateway has confirmed a void."""
    session.execute(
        update(OrderRow)
        .where(OrderRow.id == order_id, OrderRow.payment_status == PaymentStatus.VOIDING)
        .values(payment_status=PaymentStatus.VOIDED, updated_at=now, version=OrderRow.version + 1)
    )


def find_order(session: Session, order_id: str, *, lock: bool = False) -> Order | None:
    """Return an order with its history, locked until the transaction ends with `lock`; None if there is none.

    A text that isn't an order's id is not looked up: PostgreSQL raises for some.
    """
    if not is_order_id(order_id):
        return None
    statement = select(OrderRow).where(OrderRow.id == order_id).execution_options(populate_existing=True)
    row = session.scalar(statement.with_for_update() if lock else statement)
    if row is None:
        return None
    history = session.scalars(
        select(StatusChangeRow).where(StatusChangeRow.order_id == order_id).order_by(StatusChangeRow.id)
    )
    changes = tuple(
        StatusChange(
            OrderStatus(change.before) if change.before else None,
            OrderStatus(change.after),
            change.at,
            change.by,
            tuple(change.fields or ()),
        )
        for change in history
    )
    return _order(row, _items(session, [order_id])[order_id], changes)


def get_order(session: Session, order_id: str) -> Order:
    """Return an order that exists, with its history. Raises LookupError."""
    order = find_order(session, order_id)
    if order is None:
        raise LookupError(order_id)
    return order


def list_orders(
    session: Session, order_filter: OrderFilter, offset: int, limit: int, after: OrderPlace | None = None
) -> tuple[list[Order], int]:
    """Return a page of the orders from the newest on, without their histories, and how many there are.

    With `after`, the page begins behind that place. The index of `created_at` finds and orders the rows.
    """
    conditions = _conditions(order_filter)
    total = session.scalar(select(func.count()).select_from(OrderRow).where(*conditions)) or 0
    if after is not None:
        same_moment = and_(OrderRow.created_at == after.created_at, OrderRow.id > after.order_id)
        conditions += [
            OrderRow.created_at <= after.created_at,
            or_(OrderRow.created_at < after.created_at, same_moment),
        ]
    rows = session.scalars(
        select(OrderRow)
        .where(*conditions)
        .order_by(OrderRow.created_at.desc(), OrderRow.id)
        .offset(offset)
        .limit(limit)
    ).all()
    items = _items(session, [row.id for row in rows])
    return [_order(row, items[row.id]) for row in rows], total


def count_by_status(session: Session) -> dict[str, int]:
    rows = session.execute(select(OrderRow.status, func.count()).group_by(OrderRow.status))
    return {row[0]: row[1] for row in rows}


def orders_awaiting_payment(session: Session, limit: int) -> list[tuple[Order, str]]:
    """Return orders whose payment has not ended, with their owners, from the oldest on."""
    rows = session.scalars(
        select(OrderRow)
        .where(OrderRow.status == OrderStatus.AWAITING_PAYMENT)
        .order_by(OrderRow.created_at)
        .limit(limit)
    ).all()
    items = _items(session, [row.id for row in rows])
    return [(_order(row, items[row.id]), row.owner) for row in rows]


def orders_to_void(session: Session, limit: int) -> list[str]:
    """Return ids of orders whose payment is to be voided, in random order, so that none blocks the others."""
    return list(
        session.scalars(
            select(OrderRow.id)
            .where(OrderRow.payment_status == PaymentStatus.VOIDING)
            .order_by(func.random())
            .limit(limit)
        )
    )


def _conditions(order_filter: OrderFilter) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if order_filter.status is not None:
        conditions.append(OrderRow.status == order_filter.status)
    if order_filter.customer_id is not None:
        conditions.append(OrderRow.customer_id == order_filter.customer_id)
    if order_filter.since is not None:
        conditions.append(OrderRow.created_at >= order_filter.since)
    if order_filter.until is not None:
        conditions.append(OrderRow.created_at < order_filter.until)
    return conditions


def _items(session: Session, order_ids: Sequence[str]) -> dict[str, tuple[OrderItem, ...]]:
    items: dict[str, list[OrderItem]] = {order_id: [] for order_id in order_ids}
    rows = session.scalars(
        select(OrderItemRow).where(OrderItemRow.order_id.in_(order_ids)).order_by(OrderItemRow.book_id)
    )
    for row in rows:
        items[row.order_id].append(OrderItem(row.book_id, row.name, row.quantity, row.unit_price))
    return {order_id: tuple(lines) for order_id, lines in items.items()}


def _order(row: OrderRow, items: tuple[OrderItem, ...], history: tuple[StatusChange, ...] = ()) -> Order:
    return Order(
        id=row.id,
        customer_id=row.customer_id,
        items=items,
        total=row.total,
        status=OrderStatus(row.status),
        payment_status=PaymentStatus(row.payment_status),
        notes=row.notes,
        created_at=row.created_at,
        updated_at=row.updated_at,
        version=row.version,
        history=history,
    )


def _record_change(session: Session, order_id: str, change: StatusChange) -> None:
    _INSERT_CHANGE.execute(
        session,
        {
            "order_id": order_id,
            "before": change.before,
            "after": change.after,
            "at": change.at,
            "by": change.by,
        },
    )
