"""FastAPI and SQLAlchemy's ORM: one durable transaction an order, without ledger, payment or history."""

import threading
import uuid
from datetime import UTC, datetime
from typing import Any

from fastapi import Depends, FastAPI, HTTPException
from sqlalchemy import CheckConstraint, ForeignKey, create_engine, event, insert
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, relationship

from benchmarks.peers.common import BOOKS, FOLDER, Observed
from benchmarks.peers.order_bodies import NewOrder, PlacedOrder, check_api_key


class Base(DeclarativeBase):
    pass


class Book(Base):
    __tablename__ = "livros"
    __table_args__ = (CheckConstraint("disponibilidade >= 0"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    titulo: Mapped[str]
    centavos: Mapped[int]
    disponibilidade: Mapped[int]


class Item(Base):
    __tablename__ = "pedido_item"

    pedido_id: Mapped[str] = mapped_column(ForeignKey("pedido.id"), primary_key=True)
    livro_id: Mapped[int] = mapped_column(primary_key=True)
    quantidade: Mapped[int]
    centavos: Mapped[int]


class Order(Base):
    __tablename__ = "pedido"

    id: Mapped[str] = mapped_column(primary_key=True)
    cliente: Mapped[str]
    status: Mapped[str]
    centavos: Mapped[int]
    criado_em: Mapped[datetime]
    itens: Mapped[list[Item]] = relationship()


_engine = create_engine(f"sqlite:///{FOLDER / 'orders_orm.db'}")


@event.listens_for(_engine, "connect")
def _prepare(connection: Any, _record: object) -> None:
    connection.isolation_level = None
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")


@event.listens_for(_engine, "begin")
def _begin(connection: Any) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")


Base.metadata.create_all(_engine)
with Session(_engine) as _session, _session.begin():
    _session.execute(
        insert(Book),
        [
            {
                "id": book["id"],
                "titulo": book["titulo"],
                "centavos": round(100 * book["preco_com_taxa"]),
                "disponibilidade": 1_000_000_000,
            }
            for book in BOOKS
        ],
    )

_lock = threading.Lock()
"""Held by the one thread that writes, as in orders_sqlite.py."""

application = FastAPI()
application.add_middleware(Observed, counts=True)


@application.post("/orders", status_code=201, dependencies=[Depends(check_api_key)])
def place_order(new: NewOrder) -> PlacedOrder:
    with _lock, Session(_engine) as session, session.begin():
        order = Order(
            id=f"ORDER-{uuid.uuid4().hex}",
            cliente=new.customer_id,
            status="pending",
            centavos=0,
            criado_em=datetime.now(UTC),
        )
        for item in new.items:
            book = session.get(Book, item.product_id)
            if book is None or book.disponibilidade < item.quantity:
                raise HTTPException(409)
            book.disponibilidade -= item.quantity
            order.itens.append(Item(livro_id=book.id, quantidade=item.quantity, centavos=book.centavos))
            order.centavos += item.quantity * book.centavos
        session.add(order)
        return PlacedOrder(order_id=order.id, total_amount=order.centavos / 100)
