from __future__ import annotations

import re
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.shop import Shop
from tests.api.conftest import SIX_BOOKS, publish
from tests.support.checks import problem_of
from tests.support.orders import (
    API_KEY,
    ORDERS,
    execute,
    get_order,
    place,
    place_order,
    query,
    stock_of,
)

pytestmark = pytest.mark.usefixtures("six_books")


def test_an_order_is_placed_and_paid(client: FlaskClient) -> None:
    order = place_order(client, (0, 2), (1, 1), notes="Entregar à tarde")
    assert re.fullmatch(r"ORDER-[A-Z2-7]{26}", order["order_id"])
    assert order["success"] is True
    assert order["message"] == "Pedido criado com sucesso!"
    assert (order["status"], order["payment_status"]) == ("pending", "approved")
    assert order["total_amount"] == 157.28
    assert order["customer_id"] == "cliente-42"
    assert order["notes"] == "Entregar à tarde"
    assert order["items"] == [
        {"product_id": 0, "name": "A Light in the Attic", "quantity": 2, "price_unit": 51.77},
        {"product_id": 1, "name": "Tipping the Velvet", "quantity": 1, "price_unit": 53.74},
    ]


def test_the_answer_says_where_the_order_is_and_which_version(client: FlaskClient) -> None:
    response = place(client, (0, 1))
    order = response.get_json()
    assert response.headers["Location"] == f"/orders/{order['order_id']}"
    assert response.headers["ETag"] == f'"{order["version"]}"'
    assert response.headers["Cache-Control"] == "no-store"
    order_response = client.get(response.headers["Location"])
    assert order_response.get_json()["order_id"] == order["order_id"]
    assert order_response.headers["ETag"] == response.headers["ETag"]
    assert order_response.headers["Cache-Control"] == "no-store"


def test_an_order_is_shown_as_it_was_placed_with_its_history(client: FlaskClient) -> None:
    order = place_order(client, (0, 2))
    shown_order = get_order(client, order["order_id"])
    history = shown_order.pop("history")
    assert shown_order == {key: value for key, value in order.items() if key not in ("success", "message")}
    assert [(step["from"], step["to"], step["by"]) for step in history] == [
        (None, "awaiting_payment", "chave-api"),
        ("awaiting_payment", "pending", "pagamento"),
    ]
    assert history[0]["at"] == shown_order["created_at"]
    assert history[1]["at"] == shown_order["last_updated_at"]


def test_times_are_utc_with_milliseconds(client: FlaskClient) -> None:
    order = place_order(client)
    for name in ("created_at", "last_updated_at"):
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", order[name])


def test_holding_the_id_is_enough_to_see_the_order(client: FlaskClient) -> None:
    order = place_order(client)
    assert client.get(f"{ORDERS}/{order['order_id']}").status_code == 200


def test_the_id_is_not_blind_to_case(client: FlaskClient) -> None:
    problem_of(client.get(f"{ORDERS}/{place_order(client)['order_id'].lower()}"), 404)


def test_the_catalogue_shows_the_new_stock_as_soon_as_the_order_is_placed(client: FlaskClient) -> None:
    before = client.get("/api/v1/books/0")
    place_order(client, (0, 3))
    assert stock_of(client, 0) == 19
    books = client.get("/api/v1/books/search?titulo=attic").get_json()
    assert [book["disponibilidade"] for book in books] == [19]
    assert client.get("/api/v1/books/0").headers["ETag"] != before.headers["ETag"]


def test_an_order_for_the_last_copies_leaves_none(client: FlaskClient) -> None:
    place_order(client, (0, 22))
    assert stock_of(client, 0) == 0
    problem_of(place(client, (0, 1)), 409)


@pytest.mark.parametrize("product_id", ["0", "000", 0])
def test_a_product_may_be_named_in_digits(client: FlaskClient, product_id: Any) -> None:
    assert place_order(client, (product_id, 1))["items"][0]["product_id"] == 0


def test_lines_of_one_book_are_one_item(client: FlaskClient) -> None:
    order = place_order(client, (1, 1), (0, 2), ("1", 3))
    assert [(item["product_id"], item["quantity"]) for item in order["items"]] == [(0, 2), (1, 4)]
    assert stock_of(client, 1) == 1


def test_an_order_keeps_its_price_when_the_catalogue_changes(app: Flask, client: FlaskClient) -> None:
    order = place_order(client, (5, 1))
    publish(app, [*SIX_BOOKS[:5], replace(SIX_BOOKS[5], price_incl_tax=Decimal("99.00"))])
    assert client.get("/api/v1/books/5").get_json()["preco_com_taxa"] == 99.0
    assert get_order(client, order["order_id"])["items"] == order["items"]


def test_an_order_without_a_card_or_notes_is_placed(client: FlaskClient) -> None:
    body = {"customer_id": "c", "items": [{"product_id": 0, "quantity": 1}]}
    response = client.post(ORDERS, json=body, headers=API_KEY)
    assert response.status_code == 201
    assert response.get_json()["notes"] is None


def test_the_history_names_the_user_whose_token_is_beside_the_key(
    client: FlaskClient, as_operator: dict[str, str]
) -> None:
    order = place_order(client, headers=as_operator)
    assert get_order(client, order["order_id"], API_KEY)["history"][0]["by"] == "operadora"


@pytest.mark.parametrize(
    "order_id", ["a%00b", "ORDER-0", "order-" + "A" * 26, "ORDER-" + "A" * 27, "%F0%9F%92%A9"]
)
def test_what_is_no_orders_id_is_no_order(client: FlaskClient, order_id: str) -> None:
    problem_of(client.get(f"{ORDERS}/{order_id}"), 404)
    problem_of(client.patch(f"{ORDERS}/{order_id}", json={"notes": "x"}, headers=API_KEY), 404)


def test_who_holds_only_the_id_is_not_told_who_works_here(
    client: FlaskClient, as_operator: dict[str, str]
) -> None:
    order_id = place_order(client, headers=as_operator)["order_id"]
    assert [step["by"] for step in get_order(client, order_id)["history"]] == ["equipe", "pagamento"]
    wrong = get_order(client, order_id, {"X-API-Key": "wrong"})
    assert wrong["history"][0]["by"] == "equipe"


def test_the_copies_are_out_of_reach_while_the_payment_is_asked_for(client: FlaskClient, shop: Shop) -> None:
    order = place_order(client, (3, 1))
    ledger = query(
        shop,
        "SELECT livro_id, quantidade, motivo FROM estoque_movimento WHERE pedido_id = :id",
        id=order["order_id"],
    )
    assert ledger == [(3, -1, "reserva")]


def test_an_order_for_a_hundred_lines_is_placed(client: FlaskClient, shop: Shop) -> None:
    execute(
        shop,
        "INSERT INTO estoque_movimento (livro_id, quantidade, motivo, quando) "
        "VALUES (0, 99978, 'contagem', CURRENT_TIMESTAMP)",
        "UPDATE livros SET disponibilidade = 100000 WHERE id = 0",
    )
    order = place_order(client, *[(0, 1_000)] * 100)
    assert order["items"][0]["quantity"] == 100_000
    assert order["total_amount"] == 5_177_000.0
    assert stock_of(client, 0) == 0


@pytest.mark.parametrize(
    "customer_id", ["x", "x" * 100, "João da Silva", "顧客-１", "c@d.invalid", "'; --", "😀"]
)
def test_a_customer_may_be_called_anything_that_can_be_read(client: FlaskClient, customer_id: str) -> None:
    order = place_order(client, customer_id=customer_id, notes="x" * 1_000)
    assert get_order(client, order["order_id"])["customer_id"] == customer_id
    assert order["notes"] == "x" * 1_000


def test_notes_may_have_line_breaks_and_no_other_control_characters(client: FlaskClient) -> None:
    assert place_order(client, (0, 1), notes="Portão azul\nTocar")["notes"] == "Portão azul\nTocar"
    problem = problem_of(place(client, (0, 1), notes="Portão azul\x07"), 400)
    assert problem["errors"] == [{"field": "notes", "message": "tem caracteres de controle"}]
