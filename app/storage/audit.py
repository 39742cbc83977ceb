"""The invariants of the stock and the orders, checked in the database."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from sqlalchemy import BigInteger, and_, case, cast, func, literal, not_, or_, select, union_all
from sqlalchemy.orm import Session

from app.core.orders import PAYMENTS, RELEASED, TRANSITIONS, OrderStatus
from app.storage.models import (
    BookRow,
    IdempotencyRow,
    MovementRow,
    OrderItemRow,
    OrderRow,
    StatusChangeRow,
)

STUCK_AFTER = timedelta(minutes=15)
MAX_MISMATCHES = 100
"""Of one kind."""


def find_mismatches(session: Session, now: datetime) -> list[str]:
    """Return a sentence for each mismatch, at most MAX_MISMATCHES of a kind."""
    return [
        *_stocks_unlike_ledger(session),
        *_impossible_stocks(session),
        *_totals_unlike_items(session),
        *_items_unlike_ledger(session),
        *_movements_without_item(session),
        *_impossible_payments(session),
        *_broken_histories(session),
        *_stuck_orders(session, now),
        *_unanswered_keys(session),
    ]


def _stocks_unlike_ledger(session: Session) -> Iterator[str]:
    # Not a full outer join, which SQLite has only since 3.39: a book may be missing on either side.
    nothing = literal(0)
    both = union_all(
        select(BookRow.id.label("book_id"), BookRow.stock.label("stock"), nothing.label("moved")),
        select(MovementRow.book_id, nothing, MovementRow.quantity),
    ).subquery()
    stock, moved = func.sum(both.c.stock), func.sum(both.c.moved)
    unlike = select(both.c.book_id, stock, moved).group_by(both.c.book_id).having(stock != moved)
    for book_id, copies, ledger in session.execute(unlike.order_by(both.c.book_id).limit(MAX_MISMATCHES)):
        yield f"livro {book_id}: estoque {copies}, mas os movimentos somam {ledger}"


def _impossible_stocks(session: Session) -> Iterator[str]:
    impossible = or_(BookRow.stock < 0, BookRow.short < 0, and_(BookRow.stock > 0, BookRow.short > 0))
    for row in session.scalars(select(BookRow).where(impossible).limit(MAX_MISMATCHES)):
        yield f"livro {row.id}: estoque {row.stock} com {row.short} em falta"


def _totals_unlike_items(session: Session) -> Iterator[str]:
    # In whole pence, since SQLite adds prices up as floats.
    pence = cast(func.round(OrderItemRow.unit_price * 100), BigInteger) * OrderItemRow.quantity
    summed = select(OrderItemRow.order_id, func.sum(pence).label("pence")).group_by(OrderItemRow.order_id)
    by_order = summed.subquery()
    unlike = (
        select(OrderRow.id, OrderRow.total, by_order.c.pence)
        .join(by_order, by_order.c.order_id == OrderRow.id, isouter=True)
        .where(or_(by_order.c.pence.is_(None), func.round(OrderRow.total * 100) != by_order.c.pence))
        .limit(MAX_MISMATCHES)
    )
    for order_id, total, pence in session.execute(unlike):
        items = "não tem itens" if pence is None else f"os itens somam {int(pence) / 100:.2f}"
        yield f"pedido {order_id}: total {total}, mas {items}"


def _items_unlike_ledger(session: Session) -> Iterator[str]:
    moved = (
        select(MovementRow.order_id, MovementRow.book_id, func.sum(MovementRow.quantity).label("copies"))
        .where(MovementRow.order_id.is_not(None))
        .group_by(MovementRow.order_id, MovementRow.book_id)
        .subquery()
    )
    expected = case((OrderRow.status.in_(RELEASED), 0), else_=-OrderItemRow.quantity)
    unlike = (
        select(OrderItemRow.order_id, OrderItemRow.book_id, OrderRow.status, expected, moved.c.copies)
        .join(OrderRow, OrderRow.id == OrderItemRow.order_id)
        .join(
            moved,
            and_(moved.c.order_id == OrderItemRow.order_id, moved.c.book_id == OrderItemRow.book_id),
            isouter=True,
        )
        # Books of the demonstration catalogue were deleted: their copies were not released to any stock.
        .where(OrderItemRow.in_catalogue.is_(True), func.coalesce(moved.c.copies, 0) != expected)
        .limit(MAX_MISMATCHES)
    )
    for order_id, book_id, status, copies, moved_copies in session.execute(unlike):
        yield (
            f"pedido {order_id} ({status}), livro {book_id}: o estoque deveria ter mudado {copies}, "
            f"os movimentos somam {moved_copies or 0}"
        )


def _movements_without_item(session: Session) -> Iterator[str]:
    stray = (
        select(MovementRow.order_id, MovementRow.book_id)
        .join(
            OrderItemRow,
            and_(OrderItemRow.order_id == MovementRow.order_id, OrderItemRow.book_id == MovementRow.book_id),
            isouter=True,
        )
        .where(MovementRow.order_id.is_not(None), OrderItemRow.order_id.is_(None))
        .limit(MAX_MISMATCHES)
    )
    for order_id, book_id in session.execute(stray):
        yield f"pedido {order_id}: há um movimento do livro {book_id}, que não está nos seus itens"


def _impossible_payments(session: Session) -> Iterator[str]:
    allowed = [f"{status}/{payment}" for status, payments in PAYMENTS.items() for payment in payments]
    both = OrderRow.status + "/" + OrderRow.payment_status
    impossible = select(OrderRow.id, OrderRow.status, OrderRow.payment_status).where(both.not_in(allowed))
    for order_id, status, payment in session.execute(impossible.limit(MAX_MISMATCHES)):
        yield f"pedido {order_id}: está em '{status}' com o pagamento em '{payment}'"


def _broken_histories(session: Session) -> Iterator[str]:
    last = select(func.max(StatusChangeRow.id).label("id")).group_by(StatusChangeRow.order_id).subquery()
    ended = (
        select(StatusChangeRow.order_id, StatusChangeRow.after)
        .join(last, last.c.id == StatusChangeRow.id)
        .subquery()
    )
    unlike = (
        select(OrderRow.id, OrderRow.status, ended.c.after)
        .join(ended, ended.c.order_id == OrderRow.id, isouter=True)
        .where(func.coalesce(ended.c.after, "") != OrderRow.status)
        .limit(MAX_MISMATCHES)
    )
    for order_id, status, after in session.execute(unlike):
        yield f"pedido {order_id}: está em '{status}', mas o histórico termina em '{after}'"
    previous = func.lag(StatusChangeRow.after).over(
        partition_by=StatusChangeRow.order_id, order_by=StatusChangeRow.id
    )
    steps = select(
        StatusChangeRow.order_id, StatusChangeRow.before, func.coalesce(previous, "").label("previous")
    ).subquery()
    torn = select(steps).where(func.coalesce(steps.c.before, "") != steps.c.previous).limit(MAX_MISMATCHES)
    for order_id, before, after in session.execute(torn):
        yield f"pedido {order_id}: o histórico passa de '{after}' a uma mudança que parte de '{before}'"
    allowed = [f"{before}>{after}" for before, choices in TRANSITIONS.items() for after in choices]
    allowed.append(f">{OrderStatus.AWAITING_PAYMENT}")
    step = func.coalesce(StatusChangeRow.before, "") + ">" + StatusChangeRow.after
    is_edit = and_(StatusChangeRow.fields.is_not(None), StatusChangeRow.before == StatusChangeRow.after)
    wrong = select(StatusChangeRow).where(step.not_in(allowed), not_(is_edit))
    for row in session.scalars(wrong.limit(MAX_MISMATCHES)):
        yield f"pedido {row.order_id}: passou de '{row.before}' a '{row.after}', o que não é permitido"


def _stuck_orders(session: Session, now: datetime) -> Iterator[str]:
    stuck = select(OrderRow.id, OrderRow.created_at).where(
        OrderRow.status == OrderStatus.AWAITING_PAYMENT, OrderRow.created_at < now - STUCK_AFTER
    )
    for order_id, created_at in session.execute(stuck.limit(MAX_MISMATCHES)):
        yield f"pedido {order_id}: espera o pagamento desde {created_at:%Y-%m-%d %H:%M:%S} UTC"


def _unanswered_keys(session: Session) -> Iterator[str]:
    unanswered = (
        select(OrderRow.id, OrderRow.status)
        .join(IdempotencyRow, IdempotencyRow.order_id == OrderRow.id)
        .where(IdempotencyRow.response.is_(None), OrderRow.status != OrderStatus.AWAITING_PAYMENT)
        .limit(MAX_MISMATCHES)
    )
    for order_id, status in session.execute(unanswered):
        yield f"pedido {order_id} ({status}): a sua Idempotency-Key ficou sem resposta"
