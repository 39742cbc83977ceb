"""The copies of each book: taken, given back and counted, with every change in the ledger."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from sqlalchemy import and_, bindparam, func, insert, literal, or_, select, update
from sqlalchemy.orm import Session

from app.core.catalogue_import import StockCourse
from app.core.orders import DISPATCHED, RESERVED, Line, OrderStatus
from app.storage.columns import UtcTime
from app.storage.database import updated_one
from app.storage.models import (
    BookRow,
    CatalogueRow,
    MovementRow,
    OrderItemRow,
    OrderRow,
    PublicationRow,
    StatusChangeRow,
)
from app.storage.prepared import Prepared, insert_into

_RECENT_SALES = 1_000
_LOCK_BOOK = (
    select(BookRow.id, BookRow.title, BookRow.price_incl_tax, BookRow.stock)
    .where(BookRow.id == bindparam("book_id"), BookRow.listed.is_(True))
    .with_for_update()
)
_TAKE_COPIES = Prepared(
    update(BookRow)
    .where(BookRow.id == bindparam("book_id"), BookRow.listed.is_(True), BookRow.stock >= bindparam("copies"))
    .values(stock=BookRow.stock - bindparam("copies"))
)
_RETURN_COPIES = Prepared(
    update(BookRow)
    .where(BookRow.id == bindparam("book_id"))
    .values(
        stock=BookRow.stock + bindparam("copies") - bindparam("covered"),
        short=BookRow.short - bindparam("covered"),
    )
)
_LOCK_ORDERED_BOOKS = Prepared(
    select(BookRow.id, BookRow.short, OrderItemRow.quantity)
    .join(OrderItemRow, OrderItemRow.book_id == BookRow.id)
    .where(OrderItemRow.order_id == bindparam("order_id"), OrderItemRow.in_catalogue.is_(True))
    .order_by(BookRow.id)
    .with_for_update(of=BookRow)
)
_INSERT_MOVEMENT = insert_into(MovementRow, "book_id", "quantity", "reason", "order_id", "at")
_NEXT_STOCK_VERSION = Prepared(
    update(CatalogueRow)
    .where(CatalogueRow.id == 1)
    .values(stock_version=CatalogueRow.stock_version + 1)
    .returning(CatalogueRow.stock_version)
)


class Reason(StrEnum):
    """Why a stock changed. The migration that made the ledger wrote `abertura` for the stock of that time."""

    RESERVED = "reserva"
    CANCELLED = "cancelamento"
    RETURNED = "devolucao"
    PAYMENT_DENIED = "pagamento_negado"
    FAILED = "falha"
    OWED = "em_falta"  # released, but promised to another order already
    COUNTED = "contagem"  # the supplier's count, from a scrape
    BUNDLED = "demonstracao"
    WITHDRAWN = "retirada"  # with the demonstration catalogue


@dataclass(frozen=True, slots=True)
class BookOnSale:
    id: int
    name: str
    price: Decimal
    stock: int


def lock_books_on_sale(session: Session, ids: Sequence[int]) -> dict[int, BookOnSale]:
    """Return the books that are on sale, by id, locked in the order of `ids` until the transaction ends."""
    connection = session.connection()
    rows = [connection.execute(_LOCK_BOOK, {"book_id": book_id}).one_or_none() for book_id in ids]
    return {row.id: BookOnSale(*row) for row in rows if row is not None}


def reserve(session: Session, lines: Sequence[Line], order_id: str, now: datetime) -> None:
    """Take an order's copies off sale. Raises RuntimeError where there are fewer, which can't be under a lock."""
    for line in lines:
        taken = _TAKE_COPIES.execute(session, {"book_id": line.product_id, "copies": line.quantity})
        if not updated_one(taken):
            raise RuntimeError(f"book {line.product_id} had less than it had under lock")
    record_movements(
        session, {line.product_id: -line.quantity for line in lines}, Reason.RESERVED, now, order_id
    )


def release(session: Session, order_id: str, reason: Reason, now: datetime) -> None:
    """Put an order's copies on sale again, after covering what is short.

    Copies of a book that was deleted with the demonstration catalogue have no stock to return to.
    """
    rows = _LOCK_ORDERED_BOOKS.execute(session, {"order_id": order_id}).all()
    covered = {book_id: min(short, quantity) for book_id, short, quantity in rows}
    for book_id, _, quantity in rows:
        _RETURN_COPIES.execute(session, {"book_id": book_id, "copies": quantity, "covered": covered[book_id]})
    record_movements(session, {book_id: quantity for book_id, _, quantity in rows}, reason, now, order_id)
    record_movements(session, {book_id: -copies for book_id, copies in covered.items()}, Reason.OWED, now)


def reserved_copies(session: Session, counted_since: datetime) -> dict[int, int]:
    """Return, by book id, the copies that the supplier's count includes although they are sold.

    They are reserved and not yet shipped, or were shipped since the counting began: the book's page may have been
    read before its copies left.
    """
    shipped_since = select(StatusChangeRow.order_id).where(
        StatusChangeRow.after == OrderStatus.SHIPPED, StatusChangeRow.at >= counted_since
    )
    still_counted = or_(
        OrderRow.status.in_(RESERVED),
        and_(OrderRow.status.in_(DISPATCHED), OrderRow.id.in_(shipped_since)),
    )
    rows = session.execute(
        select(OrderItemRow.book_id, func.sum(OrderItemRow.quantity))
        .join(OrderRow, OrderRow.id == OrderItemRow.order_id)
        .where(still_counted, OrderItemRow.in_catalogue.is_(True))
        .group_by(OrderItemRow.book_id)
    )
    return {book_id: int(copies) for book_id, copies in rows}


def courses_since_publication(session: Session) -> dict[int, StockCourse]:
    """Return how stocks moved since the last publication, by book id; a book that did not move is missing."""
    last_publication = (
        select(PublicationRow.last_movement)
        .order_by(PublicationRow.version.desc())
        .limit(1)
        .scalar_subquery()
    )
    moved = func.sum(MovementRow.quantity).over(partition_by=MovementRow.book_id, order_by=MovementRow.id)
    movements = (
        select(MovementRow.book_id, MovementRow.quantity, moved.label("moved"))
        .where(MovementRow.id > last_publication)
        .subquery()
    )
    book_id, quantity, after_each = movements.c
    rows = session.execute(
        select(book_id, func.sum(quantity), func.min(after_each), func.max(after_each)).group_by(book_id)
    )
    return {
        book: StockCourse(int(now), min(0, int(lowest)), max(0, int(highest)))
        for book, now, lowest, highest in rows
    }


def books_sold_last(session: Session, books: int) -> list[int]:
    """Return ids of up to `books` books, the most recently ordered first."""
    recent = (
        select(MovementRow.id, MovementRow.book_id)
        .where(MovementRow.reason == Reason.RESERVED)
        .order_by(MovementRow.id.desc())
        .limit(_RECENT_SALES)
        .subquery()
    )
    last = func.max(recent.c.id)
    return list(
        session.scalars(
            select(recent.c.book_id).group_by(recent.c.book_id).order_by(last.desc()).limit(books)
        )
    )


def withdraw_all(session: Session, now: datetime) -> None:
    """Take every copy off the ledger, before all books are deleted, ids included."""
    withdrawals = select(
        BookRow.id, -BookRow.stock, literal(Reason.WITHDRAWN.value), literal(now, UtcTime())
    ).where(BookRow.stock != 0)
    columns = [MovementRow.book_id, MovementRow.quantity, MovementRow.reason, MovementRow.at]
    session.execute(insert(MovementRow).from_select(columns, withdrawals))
    session.execute(update(OrderItemRow).values(in_catalogue=False))


def next_stock_version(session: Session) -> int:
    """Count a change of stock, by which every process reloads. Last in a transaction: all orders share its row."""
    version: int = _NEXT_STOCK_VERSION.execute(session, {}).scalar_one()
    return version


def skip_stock_versions(session: Session) -> None:
    """Go on from a version that a shop restored from a backup has never shown: clients keep what they saw at one."""
    session.execute(update(CatalogueRow).values(stock_version=CatalogueRow.stock_version + 1_000_000))


def record_movements(
    session: Session, changes: Mapping[int, int], reason: Reason, now: datetime, order_id: str | None = None
) -> None:
    """Write into the ledger the change of each book's stock, in copies, by id."""
    rows = [
        {"book_id": book_id, "quantity": change, "reason": reason, "order_id": order_id, "at": now}
        for book_id, change in changes.items()
        if change
    ]
    if rows:
        _INSERT_MOVEMENT.execute_many(session, rows)
