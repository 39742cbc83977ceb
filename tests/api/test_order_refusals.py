from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.shop import Shop
from tests.api.conftest import SIX_BOOKS, publish
from tests.support.checks import fields_of, problem_of
from tests.support.orders import (
    ORDERS,
    get_order,
    get_orders,
    order_for,
    place,
    place_order,
    query,
    stocks_of,
    traces,
)

pytestmark = pytest.mark.usefixtures("six_books")


@pytest.fixture
def impatient(make_app: Callable[..., Flask]) -> FlaskClient:
    """A client of an application on the same database that waits for a payment no longer than it must."""
    return make_app(payment_timeout_s=Decimal("0.1")).test_client()


def test_a_token_does_not_replace_the_key(client: FlaskClient, as_admin: dict[str, str]) -> None:
    problem_of(client.post(ORDERS, json=order_for((0, 1)), headers=as_admin), 401)


def test_every_unknown_product_is_blamed(client: FlaskClient, shop: Shop) -> None:
    before = traces(shop)
    response = place(client, (99, 1), (0, 1), (2_147_483_647, 1), (99, 2))
    problem = problem_of(response, 404)
    assert [error["field"] for error in problem["errors"]] == [
        "items[0].product_id",
        "items[2].product_id",
        "items[3].product_id",
    ]
    assert "o produto 99 não existe" in problem["detail"]
    assert traces(shop) == before


def test_a_book_that_left_the_shop_is_not_sold(app: Flask, client: FlaskClient) -> None:
    publish(app, SIX_BOOKS[:5])
    problem_of(place(client, (5, 1)), 404)


def test_every_line_that_is_short_is_blamed(client: FlaskClient, shop: Shop) -> None:
    before = traces(shop)
    problem = problem_of(place(client, (0, 23), (1, 1), (4, 1), (3, 16)), 409)
    assert problem["error_type"] == "insufficient_stock"
    assert {error["field"]: error["message"] for error in problem["errors"]} == {
        "items[0].quantity": "pedidos 23 do produto 0, disponíveis 22",
        "items[2].quantity": "pedidos 1 do produto 4, disponíveis 0",
        "items[3].quantity": "pedidos 16 do produto 3, disponíveis 15",
    }
    assert traces(shop) == before


def test_lines_that_are_short_together_are_both_blamed(client: FlaskClient) -> None:
    problem = problem_of(place(client, (1, 3), (0, 1), (1, 3)), 409)
    assert [error["field"] for error in problem["errors"]] == ["items[0].quantity", "items[2].quantity"]
    assert "pedidos 6 do produto 1, disponíveis 5" in problem["detail"]


@pytest.mark.parametrize(
    ("token", "status", "error_type", "ends_as", "payment"),
    [
        ("tok_denied", 402, "payment_denied_simulated", "payment_denied", "denied"),
        ("tok_error", 502, "payment_gateway_error", "failed", "voiding"),
        ("tok_timeout", 504, "payment_gateway_timeout", "failed", "voiding"),
    ],
)
def test_an_order_that_was_not_paid_gives_the_stock_back(
    impatient: FlaskClient, shop: Shop, token: str, status: int, error_type: str, ends_as: str, payment: str
) -> None:
    before = stocks_of(impatient)
    assert problem_of(place(impatient, (0, 2), (3, 15), token=token), status)["error_type"] == error_type
    assert stocks_of(impatient) == before
    assert query(shop, "SELECT SUM(quantidade) FROM estoque_movimento WHERE livro_id = 3") == [(15,)]
    order = get_orders(impatient)[0]
    assert (order["status"], order["payment_status"]) == (ends_as, payment)
    assert get_order(impatient, order["order_id"])["history"][-1]["by"] == "pagamento"


def test_what_was_given_back_can_be_sold(impatient: FlaskClient) -> None:
    for token, status in (("tok_denied", 402), ("tok_error", 502), ("tok_timeout", 504)):
        problem_of(place(impatient, (3, 15), token=token), status)
    place_order(impatient, (3, 15))


def test_a_card_that_is_not_for_tests_is_refused_by_name(client: FlaskClient) -> None:
    assert fields_of(place(client, (0, 1), token="4111111111111111")) == {"payment.token"}
