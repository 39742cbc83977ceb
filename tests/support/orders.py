"""Requests about orders in one line each, and the rows that orders leave in the database."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from flask.testing import FlaskClient
from sqlalchemy import bindparam, text
from werkzeug.test import TestResponse

from app.settings import SAMPLE_API_KEY
from app.shop import Shop
from app.storage.columns import UtcTime

ORDERS = "/orders"
API_KEY = {"X-API-Key": SAMPLE_API_KEY}
WAIT_AT_MOST_S = 20.0
_TRACES = {
    "stock": "SELECT id, disponibilidade, em_falta FROM livros ORDER BY id",
    "orders": "SELECT id, status FROM pedido ORDER BY id",
    "items": "SELECT pedido_id, livro_id, quantidade FROM pedido_item ORDER BY pedido_id, livro_id",
    "ledger": "SELECT id, livro_id, quantidade, motivo FROM estoque_movimento ORDER BY id",
    "history": "SELECT id, pedido_id, para, por FROM pedido_historico ORDER BY id",
    "keys": "SELECT chave FROM idempotencia ORDER BY chave",
}


def order_for(*lines: tuple[Any, Any], **more: Any) -> dict[str, Any]:
    """Return the body of an order for `lines` of product and quantity, paid with a card that is always approved."""
    return {
        "customer_id": "cliente-42",
        "items": [{"product_id": product_id, "quantity": quantity} for product_id, quantity in lines],
        "payment": {"token": "tok_approved"},
        **more,
    }


def place(
    client: FlaskClient,
    *lines: tuple[Any, Any],
    token: str = "tok_approved",
    headers: Mapping[str, str] | None = None,
    **more: Any,
) -> TestResponse:
    body = order_for(*lines, payment={"token": token}, **more)
    return client.post(ORDERS, json=body, headers={**API_KEY, **(headers or {})})


def place_order(client: FlaskClient, *lines: tuple[Any, Any], **more: Any) -> dict[str, Any]:
    """Place an order for `lines`, or for one copy of book 0, and return the response's body."""
    response = place(client, *(lines or ((0, 1),)), **more)
    assert response.status_code == 201, response.get_data(as_text=True)
    body: dict[str, Any] = response.get_json()
    return body


def move(client: FlaskClient, order_id: str, status: str, **headers: str) -> TestResponse:
    """Request another status."""
    return client.put(f"{ORDERS}/{order_id}/status", json={"status": status}, headers={**API_KEY, **headers})


def patch(client: FlaskClient, order_id: str, changes: Any, **headers: str) -> TestResponse:
    return client.patch(f"{ORDERS}/{order_id}", json=changes, headers={**API_KEY, **headers})


def get_order(client: FlaskClient, order_id: str, headers: Mapping[str, str] | None = None) -> dict[str, Any]:
    """Return an order as it is shown to a client that sends `headers`."""
    body: dict[str, Any] = client.get(f"{ORDERS}/{order_id}", headers=headers).get_json()
    return body


def get_orders(client: FlaskClient, **query: Any) -> list[dict[str, Any]]:
    response = client.get(ORDERS, query_string=query, headers=API_KEY)
    assert response.status_code == 200, response.get_data(as_text=True)
    orders: list[dict[str, Any]] = response.get_json()["orders"]
    return orders


def stock_of(client: FlaskClient, book_id: int) -> int:
    """Return how many copies can be ordered."""
    stock: int = client.get(f"/api/v1/books/{book_id}").get_json()["disponibilidade"]
    return stock


def stocks_of(client: FlaskClient) -> dict[int, int]:
    return {book["id"]: book["disponibilidade"] for book in client.get("/api/v1/books").get_json()}


def query(shop: Shop, statement: str, **values: Any) -> list[tuple[Any, ...]]:
    with shop.database.reading() as session:
        return [tuple(row) for row in session.execute(text(statement), values)]


def execute(shop: Shop, *statements: str, **values: Any) -> None:
    """Change the database behind the application's back."""
    times = {name for name, value in values.items() if isinstance(value, datetime)}
    with shop.database.writing() as session:
        for statement in statements:
            used = [bindparam(name, type_=UtcTime) for name in times if f":{name}" in statement]
            session.execute(text(statement).bindparams(*used), values)


def traces(shop: Shop) -> dict[str, list[tuple[Any, ...]]]:
    """Return all rows that an order changes."""
    return {name: query(shop, statement) for name, statement in _TRACES.items()}


def wait_until(condition: Callable[[], bool], within_s: float = WAIT_AT_MOST_S) -> None:
    """Check `condition` again and again. Raises AssertionError after `within_s`."""
    deadline, waiting = time.monotonic() + within_s, threading.Event()
    while not condition():
        assert time.monotonic() < deadline, f"not within {within_s} s"
        waiting.wait(0.01)
