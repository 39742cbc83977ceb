from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app.shop import Shop
from app.storage import idempotency
from tests.support.checks import fields_of
from tests.support.orders import (
    execute,
    place,
    query,
    traces,
)

KEY = {"Idempotency-Key": "key-1"}
OLD = "UPDATE idempotencia SET criada_em = :at"


pytestmark = pytest.mark.usefixtures("six_books")


def was_replayed(response: TestResponse) -> bool:
    return response.headers.get("Idempotent-Replayed") == "true"


def age_keys(shop: Shop, age: timedelta) -> None:
    execute(shop, OLD, at=datetime.now(UTC) - age)


def test_a_key_is_kept_for_a_day(client: FlaskClient, shop: Shop) -> None:
    place(client, (0, 1), headers=KEY)
    age_keys(shop, timedelta(hours=23, minutes=59))
    shop.orders.purge_keys()
    assert was_replayed(place(client, (0, 1), headers=KEY))


@pytest.mark.parametrize("swept", [False, True])
def test_after_a_day_the_key_is_new(client: FlaskClient, shop: Shop, swept: bool) -> None:
    place(client, (0, 1), headers=KEY)
    age_keys(shop, timedelta(hours=24, seconds=1))
    if swept:
        shop.orders.purge_keys()
        assert query(shop, "SELECT * FROM idempotencia") == []
    again = place(client, (1, 2), headers=KEY)
    assert again.status_code == 201
    assert not was_replayed(again)
    assert was_replayed(place(client, (1, 2), headers=KEY))


@pytest.mark.parametrize("key", ["", "a\tb", "é", "x" * 256, "\x7f", "a,\u00a0b"])
def test_a_key_that_is_no_key_is_refused_by_name(client: FlaskClient, shop: Shop, key: str) -> None:
    before = traces(shop)
    assert fields_of(place(client, (0, 1), headers={"Idempotency-Key": key})) == {"Idempotency-Key"}
    assert traces(shop) == before


@pytest.mark.parametrize("key", ["x", "a b", "x" * 255, "!~\"'%;--", "3f2b8c1e-7d4c-4c1e-9a3f-5f0c6a8e2b7d"])
def test_any_printable_ascii_is_a_key(client: FlaskClient, key: str) -> None:
    for replayed in (False, True):
        assert was_replayed(place(client, (0, 1), headers={"Idempotency-Key": key})) is replayed


def test_of_the_keys_of_refusals_only_so_many_are_kept_and_those_that_sold_something_all(
    client: FlaskClient, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(idempotency, "MAX_REFUSED_KEYS", 2)
    place(client, (0, 1), headers={"Idempotency-Key": "sold"})
    for number in range(4):
        place(client, (0, 999), headers={"Idempotency-Key": f"k{number}"})
    shop.orders.purge_keys()
    assert query(shop, "SELECT chave FROM idempotencia ORDER BY chave") == [("k2",), ("k3",), ("sold",)]


def test_the_body_is_kept_as_a_digest_only(client: FlaskClient, shop: Shop) -> None:
    place(client, (0, 1), headers=KEY, customer_id="segredo")
    ((digest,),) = query(shop, "SELECT corpo_sha256 FROM idempotencia")
    assert len(digest) == 64
    assert "segredo" not in json.dumps(digest)
