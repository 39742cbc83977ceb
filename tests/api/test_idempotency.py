from __future__ import annotations

import threading
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app.shop import Shop
from tests.support.checks import fields_of, problem_of
from tests.support.orders import (
    API_KEY,
    ORDERS,
    move,
    order_for,
    place,
    query,
    stock_of,
    traces,
    wait_until,
)

KEY = {"Idempotency-Key": "key-1"}


pytestmark = pytest.mark.usefixtures("six_books")


@pytest.fixture
def impatient(make_app: Callable[..., Flask]) -> FlaskClient:
    return make_app(payment_timeout_s=Decimal("0.1")).test_client()


def was_replayed(response: TestResponse) -> bool:
    return response.headers.get("Idempotent-Replayed") == "true"


def order_count(shop: Shop) -> int:
    count: int = query(shop, "SELECT COUNT(*) FROM pedido")[0][0]
    return count


def test_the_same_request_is_answered_the_same_and_done_once(client: FlaskClient, shop: Shop) -> None:
    first = place(client, (0, 2), headers=KEY)
    after_first = traces(shop)
    again = place(client, (0, 2), headers=KEY)
    assert first.status_code == again.status_code == 201
    assert again.get_json() == first.get_json()
    assert again.headers["Location"] == first.headers["Location"]
    assert again.headers["ETag"] == first.headers["ETag"]
    assert not was_replayed(first)
    assert was_replayed(again)
    assert traces(shop) == after_first
    assert stock_of(client, 0) == 20


def test_without_a_key_or_with_another_every_request_is_an_order(client: FlaskClient, shop: Shop) -> None:
    for headers in ({}, {}, KEY, {"Idempotency-Key": "key-2"}, {"Idempotency-Key": "KEY-1"}):
        assert not was_replayed(place(client, (0, 1), headers=headers))
    assert order_count(shop) == 5


@pytest.mark.parametrize(
    "written",
    [
        b'{"items":[{"quantity":1,"product_id":0}],"customer_id":"Jo\xc3\xa3o","payment":{"token":"tok_approved"}}',
        b'{"customer_id": "Jo\\u00e3o", "items": [ { "product_id": 0 , "quantity": 1 } ],\r\n'
        b'"payment": {"token": "tok_approved"}}',
        b'\xef\xbb\xbf{"payment": {"token": "tok_\\u0061pproved"}, "customer_id": "Jo\xc3\xa3o", '
        b'"items": [{"product_id": 0, "quantity": 1}]}\n\n',
    ],
)
def test_an_equal_body_is_the_same_request_however_it_is_written(client: FlaskClient, written: bytes) -> None:
    first = place(client, (0, 1), headers=KEY, customer_id="João")
    again = client.post(ORDERS, data=written, content_type="application/json", headers={**API_KEY, **KEY})
    assert was_replayed(again)
    assert again.get_json() == first.get_json()


@pytest.mark.parametrize(
    "body",
    [
        order_for((0, 2)),
        order_for((1, 1)),
        order_for((0, 1), (1, 1)),
        order_for((0, 1), customer_id="outro"),
        order_for((0, 1), notes="x"),
        order_for((0, 1), payment={"token": "tok_denied"}),
        order_for((99, 1)),
    ],
)
def test_another_body_under_the_same_key_is_422(
    client: FlaskClient, shop: Shop, body: dict[str, Any]
) -> None:
    first = place(client, (0, 1), headers=KEY)
    before = traces(shop)
    problem = problem_of(client.post(ORDERS, json=body, headers={**API_KEY, **KEY}), 422)
    assert problem["error_type"] == "idempotency_key_reused"
    assert traces(shop) == before
    assert place(client, (0, 1), headers=KEY).get_json() == first.get_json()


def test_lines_in_another_order_are_another_body(client: FlaskClient) -> None:
    place(client, (0, 1), (1, 1), headers=KEY)
    problem_of(place(client, (1, 1), (0, 1), headers=KEY), 422)


def test_a_bad_body_does_not_use_up_its_key(client: FlaskClient) -> None:
    assert fields_of(place(client, (0, 0), headers=KEY)) == {"items[0].quantity"}
    assert place(client, (0, 1), headers=KEY).status_code == 201


def test_a_wrong_api_key_does_not_use_up_its_key(client: FlaskClient) -> None:
    problem_of(client.post(ORDERS, json=order_for((0, 1)), headers={"X-API-Key": "x", **KEY}), 401)
    assert not was_replayed(place(client, (0, 1), headers=KEY))


def test_while_the_first_request_is_under_way_the_second_is_told_to_wait(app: Flask, shop: Shop) -> None:
    answers: list[TestResponse] = []
    first = threading.Thread(
        target=lambda: answers.append(place(app.test_client(), (0, 1), token="tok_timeout", headers=KEY))
    )
    first.start()
    wait_until(lambda: order_count(shop) == 1)
    again = place(app.test_client(), (0, 1), token="tok_timeout", headers=KEY)
    problem_of(again, 409)
    assert again.headers["Retry-After"] == "1"
    problem_of(place(app.test_client(), (0, 2), token="tok_timeout", headers=KEY), 422)
    assert order_count(shop) == 1
    shop.gateway.close()
    first.join(20)
    problem_of(answers[0], 502)


def test_of_many_equal_requests_at_once_one_is_an_order(app: Flask, shop: Shop) -> None:
    answers: list[TestResponse] = []
    together = threading.Barrier(4)

    def send() -> None:
        client = app.test_client()
        together.wait(20)
        answers.append(place(client, (0, 1), headers=KEY))

    threads = [threading.Thread(target=send) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert sorted({answer.status_code for answer in answers}) in ([201], [201, 409])
    assert sum(answer.status_code == 201 and not was_replayed(answer) for answer in answers) == 1
    assert order_count(shop) == 1


@pytest.mark.parametrize(
    ("line", "token", "status"),
    [((0, 1), "tok_denied", 402), ((99, 1), "tok_approved", 404), ((0, 23), "tok_approved", 409)],
)
def test_a_refusal_is_remembered(
    client: FlaskClient, shop: Shop, line: tuple[int, int], token: str, status: int
) -> None:
    first = place(client, line, token=token, headers=KEY)
    problem_of(first, status)
    before = traces(shop)
    again = place(client, line, token=token, headers=KEY)
    assert (again.status_code, again.mimetype) == (status, "application/problem+json")
    assert was_replayed(again)
    assert problem_of(again, status) == problem_of(first, status) | {
        "request_id": again.headers["X-Request-ID"]
    }
    assert traces(shop) == before


def test_a_refusal_for_want_of_copies_is_remembered_when_there_are_copies_again(client: FlaskClient) -> None:
    order = place(client, (0, 22)).get_json()
    problem_of(place(client, (0, 1), headers=KEY), 409)
    move(client, order["order_id"], "cancelled")
    assert place(client, (0, 1), headers=KEY).status_code == 409
    assert place(client, (0, 1)).status_code == 201


@pytest.mark.parametrize(("token", "status"), [("tok_error", 502), ("tok_timeout", 504)])
def test_a_payment_that_failed_may_be_tried_again_under_its_key(
    impatient: FlaskClient, shop: Shop, token: str, status: int
) -> None:
    for tries in (1, 2):
        response = place(impatient, (0, 1), token=token, headers=KEY)
        problem_of(response, status)
        assert not was_replayed(response)
        assert order_count(shop) == tries
    paid = place(impatient, (0, 1), headers=KEY)
    assert paid.status_code == 201
    assert not was_replayed(paid)


def test_the_first_answer_is_replayed_though_the_order_went_on(client: FlaskClient) -> None:
    first = place(client, (0, 1), headers=KEY)
    move(client, first.get_json()["order_id"], "cancelled")
    again = place(client, (0, 1), headers=KEY)
    assert again.get_json() == first.get_json()
    assert again.get_json()["status"] == "pending"


def test_another_process_replays_it_too(client: FlaskClient, impatient: FlaskClient) -> None:
    first = place(client, (0, 1), headers=KEY)
    assert place(impatient, (0, 1), headers=KEY).get_json() == first.get_json()
