from __future__ import annotations

import pytest
from flask.testing import FlaskClient

from app.shop import Shop
from tests.support.checks import problem_of
from tests.support.orders import (
    API_KEY,
    ORDERS,
    order_for,
    place,
    traces,
)


@pytest.mark.parametrize("order_id", ["ORDER-0", "0", "ORDER-" + "A" * 26, "%00", "ORDER-é", "x" * 5_000])
def test_an_order_that_never_was_is_not_found(reader: FlaskClient, order_id: str) -> None:
    assert problem_of(reader.get(f"{ORDERS}/{order_id}"), 404)["detail"] == "Pedido não encontrado."


@pytest.mark.parametrize("key", [None, "", "wrong", "minha_chave_secreta_empresa ", "çã"])
@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", ""), ("GET", ""), ("PUT", "/ORDER-0/status"), ("PATCH", "/ORDER-0")],
)
def test_without_the_key_there_is_no_admission(
    reader: FlaskClient, key: str | None, method: str, path: str
) -> None:
    shop: Shop = reader.application.extensions["shop"]
    before = traces(shop)
    headers = {} if key is None else {"X-API-Key": key}
    response = reader.open(f"{ORDERS}{path}", method=method, json=order_for((0, 1)), headers=headers)
    problem_of(response, 401)
    assert response.headers["WWW-Authenticate"] == 'ApiKey realm="livraria"'
    assert traces(shop) == before


@pytest.mark.parametrize("authorization", ["Basic YTpi", ""])
def test_other_credentials_beside_the_key_are_ignored(reader: FlaskClient, authorization: str) -> None:
    response = reader.get(ORDERS, headers={**API_KEY, "Authorization": authorization})
    assert response.status_code == 200


@pytest.mark.parametrize("authorization", ["Bearer x", "Bearer"])
def test_a_bad_token_beside_the_key_is_refused(reader: FlaskClient, authorization: str) -> None:
    problem_of(place(reader, (0, 1), headers={"Authorization": authorization}), 401)
