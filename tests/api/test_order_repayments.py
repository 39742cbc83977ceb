from __future__ import annotations

import pytest
from flask.testing import FlaskClient

from app.shop import Shop
from tests.support.orders import get_order, move, place_order, query


def test_the_payment_of_a_cancelled_order_is_given_back(
    client: FlaskClient, shop: Shop, order_id: str
) -> None:
    assert move(client, order_id, "cancelled").get_json()["payment_status"] == "voiding"
    shop.orders.reconcile()
    assert get_order(client, order_id)["payment_status"] == "voided"
    assert query(shop, "SELECT resultado FROM pagamento_simulado WHERE referencia = :id", id=order_id) == [
        ("voided",)
    ]


def test_one_payment_that_can_not_be_given_back_holds_up_no_other(
    client: FlaskClient, shop: Shop, order_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = place_order(client, (0, 1))["order_id"]
    void = shop.gateway.void

    def void_all_but_the_first(reference: str) -> None:
        if reference == order_id:
            raise ValueError("this payment is disputed")
        void(reference)

    monkeypatch.setattr(shop.gateway, "void", void_all_but_the_first)
    for order in (order_id, other):
        move(client, order, "cancelled")
    shop.orders.reconcile()
    assert get_order(client, order_id)["payment_status"] == "voiding"
    assert get_order(client, other)["payment_status"] == "voided"
