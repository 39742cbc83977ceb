"""`flask db-copy`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import flask_migrate
import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Connection, Table, create_engine, inspect, text

from app.services import copy_database
from app.services.audit import audit
from app.shop import Shop
from app.storage.copies import TABLES, Content, copy_table
from tests.api.conftest import SIX_BOOKS, publish
from tests.support.commands import run
from tests.support.databases import Databases
from tests.support.orders import API_KEY, get_order, get_orders, move, place, place_order

READ = ("/api/v1/books", "/api/v1/stats/overview", "/api/v1/stats/categories", "/api/v1/categories")


@pytest.fixture
def target(databases: Databases, tmp_path: Path) -> Iterator[str]:
    """The URL of an empty database."""
    folder = tmp_path / "target"
    folder.mkdir()
    url = databases.create(folder)
    yield url
    databases.drop(url)


@pytest.fixture
def order_ids(client: FlaskClient, six_books: None) -> list[str]:
    """Orders in three states, one of them placed with a key."""
    paid = place_order(client, (0, 2), (3, 1), headers={"Idempotency-Key": "key-1"}, notes="“Ação”")
    cancelled = place_order(client, (1, 1))
    move(client, cancelled["order_id"], "cancelled")
    place(client, (0, 1), token="tok_denied")
    return [paid["order_id"], cancelled["order_id"]]


def copy_to(app: Flask, url: str) -> tuple[int, str]:
    """Return the exit code of `flask db-copy`, and what it said."""
    return run(app, "db-copy", "--to", url)


def tables_of(url: str) -> list[str]:
    engine = create_engine(url)
    try:
        return inspect(engine).get_table_names()
    finally:
        engine.dispose()


def test_the_shop_goes_on_from_its_copy(
    app: Flask, client: FlaskClient, make_app: Callable[..., Flask], target: str, order_ids: list[str]
) -> None:
    code, told = copy_to(app, target)
    assert code == 0, told
    there = make_app(database_url=target).test_client()
    for path in READ:
        assert there.get(path).get_json() == client.get(path).get_json()
    assert get_orders(there) == get_orders(client)
    for order_id in order_ids:
        assert get_order(there, order_id) == get_order(client, order_id)
    again = place(there, (0, 2), (3, 1), headers={"Idempotency-Key": "key-1"}, notes="“Ação”")
    assert (again.status_code, again.headers["Idempotent-Replayed"]) == (201, "true")


def test_the_past_and_the_schedule_are_in_the_copy(
    app: Flask,
    client: FlaskClient,
    make_app: Callable[..., Flask],
    target: str,
    order_ids: list[str],
    as_operator: dict[str, str],
) -> None:
    publish(
        app, [replace(SIX_BOOKS[0], description="“Ação”", price_incl_tax=Decimal("60.10")), *SIX_BOOKS[2:]]
    )
    agenda = {"agenda": "0 3 * * *", "fuso": "America/Sao_Paulo", "jitter_s": 60}
    assert client.put("/api/v1/scraping/schedule", json=agenda, headers=as_operator).status_code == 200
    assert copy_to(app, target)[0] == 0
    there = make_app(database_url=target).test_client()
    paths = [
        "/api/v1/scraping/schedule",
        "/api/v1/changes",
        "/api/v1/books/0/history",
        "/api/v1/books/1/history",
    ]
    for path in [*paths, *(f"/api/v1/books{book}?em={em}" for book in ("", "/0", "/1") for em in (1, 2, 3))]:
        one, other = client.get(path), there.get(path)
        assert (other.status_code, other.headers.get("ETag")) == (one.status_code, one.headers.get("ETag"))
        if one.status_code == 200:
            assert other.data == one.data


def test_the_copy_gives_out_ids_that_were_never_given(
    app: Flask, make_app: Callable[..., Flask], target: str, order_ids: list[str], as_operator: dict[str, str]
) -> None:
    assert copy_to(app, target)[0] == 0
    other = make_app(database_url=target)
    there, shop = other.test_client(), other.extensions["shop"]
    tokens = there.post("/api/v1/auth/login", json={"username": "admin", "password": "1234"}).get_json()
    created = there.post(
        "/api/v1/auth/newuser",
        json={"username": "nova", "password": "12345"},
        headers={"Authorization": f"Bearer {tokens['access_token']}"},
    )
    assert created.status_code == 201, created.text
    move(there, place_order(there, (0, 1))["order_id"], "cancelled")
    assert audit(shop.database, shop.metrics) == []


def test_every_table_is_compared(app: Flask, target: str, order_ids: list[str]) -> None:
    code, told = copy_to(app, target)
    lines = {line.split()[0]: line.split() for line in told.splitlines()}
    assert code == 0
    for table in TABLES:
        assert lines[table.name][-1] == "igual"
        assert lines[table.name][1] == lines[table.name][2]
    assert lines["pedido"][1] == "3"
    assert lines["contradições"][1:] == ["0", "0", "igual"]


def test_a_database_that_is_not_empty_is_refused_and_left_alone(
    app: Flask, target: str, order_ids: list[str]
) -> None:
    assert copy_to(app, target)[0] == 0
    code, told = copy_to(app, target)
    assert (code, told) == (2, "O destino não está vazio: crie um banco de dados novo para a cópia.\n")
    assert copy_to(app, app.extensions["shop"].settings.database_url)[0] == 2


def test_a_copy_that_breaks_off_leaves_an_empty_database(
    app: Flask, target: str, order_ids: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    copied: list[str] = []

    def copy_some(source: Connection, target: Connection, table: Table) -> Content:
        if len(copied) == 6:
            raise KeyboardInterrupt
        copied.append(table.name)
        return copy_table(source, target, table)

    with monkeypatch.context() as interrupted:
        interrupted.setattr(copy_database, "copy_table", copy_some)
        assert copy_to(app, target)[0] != 0
    assert len(copied) == 6
    assert tables_of(target) == []
    assert copy_to(app, target)[0] == 0


@pytest.mark.parametrize(
    ("loss", "table"),
    [
        (
            "DELETE FROM pedido_historico WHERE id = (SELECT min(id) FROM pedido_historico)",
            "pedido_historico",
        ),
        ("UPDATE livros SET titulo = titulo || ' ' WHERE id = 3", "livros"),
        ("UPDATE pedido SET total = total + 0.01", "pedido"),
    ],
)
def test_a_copy_that_differs_is_shown_and_undone(
    app: Flask,
    target: str,
    order_ids: list[str],
    monkeypatch: pytest.MonkeyPatch,
    loss: str,
    table: str,
) -> None:
    monkeypatch.setattr(copy_database, "reset_sequences", lambda connection: connection.execute(text(loss)))
    code, told = copy_to(app, target)
    assert code == 1
    [line] = [line for line in told.splitlines() if line.startswith(f"{table} ")]
    assert line.endswith("DIFERENTE")
    assert told.endswith("A cópia difere, e foi desfeita: o destino está vazio.\n")
    assert tables_of(target) == []


def test_what_is_sold_during_the_copy_is_not_in_it(
    app: Flask,
    client: FlaskClient,
    make_app: Callable[..., Flask],
    target: str,
    order_ids: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    during: list[Any] = []

    def sell_meanwhile(source: Connection, target: Connection, table: Table) -> Content:
        if table.name == "pedido" and not during:
            during.append(place_order(client, (1, 1))["order_id"])
        return copy_table(source, target, table)

    monkeypatch.setattr(copy_database, "copy_table", sell_meanwhile)
    code, told = copy_to(app, target)
    assert code == 0, told
    there = make_app(database_url=target).test_client()
    assert there.get(f"/orders/{during[0]}").status_code == 404
    assert len(get_orders(there)) == 3
    assert client.get("/orders", headers=API_KEY).headers["X-Total-Count"] == "4"


def test_a_shop_of_an_older_release_is_refused(app: Flask, target: str) -> None:
    with app.app_context():
        flask_migrate.downgrade(revision="0003")
    code, told = copy_to(app, target)
    assert (code, told) == (
        2, "O banco de origem não tem as tabelas desta versão: inicie a loja uma vez com ela.\n",
    )  # fmt: skip
    assert tables_of(target) == []


def test_an_address_that_is_none_is_refused(app: Flask) -> None:
    code, told = copy_to(app, "mysql://u:segredo@h/d")
    assert code == 2
    assert "sqlite:////caminho/absoluto ou postgresql+psycopg://" in told
    assert "segredo" not in told


def test_contradictions_of_the_shop_are_counted_on_both_sides(
    app: Flask, shop: Shop, target: str, order_ids: list[str]
) -> None:
    with shop.database.writing() as session:
        session.execute(text("UPDATE livros SET disponibilidade = 99 WHERE id = 3"))
    code, told = copy_to(app, target)
    assert code == 0
    assert "contradições                 1         1" in told
