"""FastAPI and raw sqlite3: one durable transaction an order, without ledger, payment or history."""

import sqlite3
import threading
import uuid
from datetime import UTC, datetime

from fastapi import Depends, FastAPI, HTTPException

from benchmarks.peers.common import BOOKS, FOLDER, Observed
from benchmarks.peers.order_bodies import NewOrder, PlacedOrder, check_api_key

_SCHEMA = """
PRAGMA journal_mode=WAL;
PRAGMA synchronous=FULL;
CREATE TABLE livros (id INTEGER PRIMARY KEY, titulo TEXT NOT NULL, centavos INTEGER NOT NULL,
    disponibilidade INTEGER NOT NULL CHECK (disponibilidade >= 0));
CREATE TABLE pedido (id TEXT PRIMARY KEY, cliente TEXT NOT NULL, status TEXT NOT NULL, centavos INTEGER NOT NULL,
    criado_em TEXT NOT NULL);
CREATE TABLE pedido_item (pedido_id TEXT NOT NULL REFERENCES pedido (id), livro_id INTEGER NOT NULL,
    quantidade INTEGER NOT NULL, centavos INTEGER NOT NULL, PRIMARY KEY (pedido_id, livro_id));
"""
_TAKE = (
    "UPDATE livros SET disponibilidade = disponibilidade - ? WHERE id = ? AND disponibilidade >= ? "
    "RETURNING centavos"
)

_connection = sqlite3.connect(
    FOLDER / f"{uuid.uuid4().hex}.db", isolation_level=None, check_same_thread=False
)
_connection.executescript(_SCHEMA)
_connection.execute("BEGIN")
_connection.executemany(
    "INSERT INTO livros VALUES (?, ?, ?, 1000000000)",
    [(book["id"], book["titulo"], round(100 * book["preco_com_taxa"])) for book in BOOKS],
)
_connection.execute("COMMIT")
_lock = threading.Lock()
"""Held by the thread that uses `_connection`: with one each, writers would poll the file with growing pauses."""

application = FastAPI()
application.add_middleware(Observed, counts=True)


@application.post("/orders", status_code=201, dependencies=[Depends(check_api_key)])
def place_order(order: NewOrder) -> PlacedOrder:
    order_id = f"ORDER-{uuid.uuid4().hex}"
    with _lock:
        _connection.execute("BEGIN IMMEDIATE")
        try:
            total = _write(order_id, order)
        except BaseException:
            _connection.execute("ROLLBACK")
            raise
        _connection.execute("COMMIT")
    return PlacedOrder(order_id=order_id, total_amount=total / 100)


def _write(order_id: str, order: NewOrder) -> int:
    """Take the copies and insert the rows; return the total in pence. Raises HTTPException for too few copies."""
    items, total = [], 0
    for item in order.items:
        taken = _connection.execute(_TAKE, (item.quantity, item.product_id, item.quantity)).fetchone()
        if taken is None:
            raise HTTPException(409)
        items.append((order_id, item.product_id, item.quantity, taken[0]))
        total += item.quantity * taken[0]
    now = datetime.now(UTC).isoformat()
    _connection.execute(
        "INSERT INTO pedido VALUES (?, ?, 'pending', ?, ?)", (order_id, order.customer_id, total, now)
    )
    _connection.executemany("INSERT INTO pedido_item VALUES (?, ?, ?, ?)", items)
    return total
