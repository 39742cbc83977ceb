from __future__ import annotations

import json
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app.core.orders import MAX_LINES
from app.shop import Shop
from tests.api.test_bad_bodies import send_chunked
from tests.support.checks import fields_of, problem_of
from tests.support.orders import API_KEY, ORDERS, order_for, traces

ANY_QUANTITY = '{"customer_id": "c", "items": [{"product_id": 0, "quantity": %s}]}'
ANY_PRODUCT = '{"customer_id": "c", "items": [{"product_id": %s, "quantity": 1}]}'
ANY_CUSTOMER = '{"customer_id": %s, "items": [{"product_id": 0, "quantity": 1}]}'
ANY_ITEMS = '{"customer_id": "c", "items": %s}'
ANY_NOTES = '{"customer_id": "c", "items": [{"product_id": 0, "quantity": 1}], "notes": %s}'
ANY_PAYMENT = '{"customer_id": "c", "items": [{"product_id": 0, "quantity": 1}], "payment": %s}'
GOOD = json.dumps(order_for((0, 1))).encode()

NOT_JSON = [
    b"",
    b"   ",
    b"{",
    GOOD + b"x",
    GOOD + GOOD,
    b"customer_id=c",
    b"{'customer_id': 'c'}",
    GOOD.replace(b"}]", b"},]"),
    GOOD + b"\x00",
    b"\xff" + GOOD,
    GOOD.replace(b"cliente", b"client\xe9"),
    GOOD.decode().encode("utf-16"),
    GOOD.decode().encode("utf-32-le"),
    b"[" * 100_000,
    b'{"items":' * 50_000,
    (ANY_ITEMS % ("[" * 20_000 + "]" * 20_000)).encode(),
]
NOT_OBJECTS = ["null", "[]", "1", "true", '"text"', f"[{GOOD.decode()}]", "{}[0]"]
QUANTITIES = [
    "0", "-1", "-0", "1001", "2147483648", "9223372036854775808", "1" + "0" * 300, "1.0", "1.5", "0.0", "1e0",
    "1e-400", '"1"', '""', '"um"', '"١"', "true", "false", "null", "[]", "[1]", "{}", '{"a": 1}',
]  # fmt: skip
NOT_FINITE = ["NaN", "Infinity", "-Infinity", "1e400", "-1e400"]
NOT_NUMBERS = ["01", "0x1", "+1", "1_000", ".5", "1" * 5_000]
PRODUCTS = [
    "-1", "2147483648", "9223372036854775808", "1" + "0" * 300, "0.0", "1.0", "1e2", "true", "false", "null", "[]",
    "{}", '""', '" 0"', '"0 "', '"-1"', '"-0"', '"+1"', '"1.0"', '"1e2"', '"0x1"', '"1_0"', '"zero"', '"٠"', '"１"',
    '"²"', '"1\\u0000"', '"1\\n"', '"\\u200b1"', '"2147483648"', '"9999999999999999999"', f'"{"1" * 5_000}"',
    f'"{"0" * 19}"',
]  # fmt: skip
CUSTOMERS = [
    "null", "1", "1.5", "true", "[]", "{}", '""', '" "', '" c"', '"c "', '"\\t"', '"a\\nb"', '"a\\u0000b"',
    '"a\\u007fb"', '"a\\u0085b"', '"\\u200b"', '"a\\u200bb"', '"a\\u202eb"', '"\\ufeffa"', '"a\\u2028b"', '"\\u00a0"',
    '"a\\u00a0b"', '"\\ue000"', f'"{"x" * 101}"', f'"{"é" * 101}"', f'"{"x" * 100_000}"',
]  # fmt: skip
SURROGATES = ['"\\ud800"', '"\\udfff"', '"a\\ud83d"', '"\\udc00\\ud800"', '{"\\ud800": 1}']
NOTES = ["1", "true", "[]", "{}", '"a\\u0000b"', '"a\\u001bb"', f'"{"x" * 1_001}"']
TOKENS = ["null", "1", "[]", '""', '"TOK_APPROVED"', '"tok_approved "', '"4111111111111111"']
ONE = '{"product_id": 0, "quantity": 1}'
TWICE = [
    ('{"customer_id": "a", "customer_id": "a"}', "customer_id"),
    (ANY_ITEMS % '[{"product_id": 0, "quantity": 1, "quantity": 2}]', "quantity"),
    (ANY_PAYMENT % '{"token": "tok_denied", "token": "tok_approved"}', "token"),
    (ANY_ITEMS % f'[{ONE}], "items": [{ONE}]', "items"),
]
OTHERS = [
    (b"{}", {"customer_id", "items"}),
    (b'{"customer_id": "c"}', {"items"}),
    ((ANY_ITEMS % "null").encode(), {"items"}),
    ((ANY_ITEMS % "[]").encode(), {"items"}),
    ((ANY_ITEMS % "{}").encode(), {"items"}),
    ((ANY_ITEMS % ONE).encode(), {"items"}),
    ((ANY_ITEMS % '"0"').encode(), {"items"}),
    ((ANY_ITEMS % "0").encode(), {"items"}),
    ((ANY_ITEMS % f"[{', '.join([ONE] * (MAX_LINES + 1))}]").encode(), {"items"}),
    ((ANY_ITEMS % "[null]").encode(), {"items[0]"}),
    ((ANY_ITEMS % "[0]").encode(), {"items[0]"}),
    ((ANY_ITEMS % '["0"]').encode(), {"items[0]"}),
    ((ANY_ITEMS % "[[]]").encode(), {"items[0]"}),
    ((ANY_ITEMS % f"[{ONE}, [{ONE}]]").encode(), {"items[1]"}),
    ((ANY_ITEMS % "[{}]").encode(), {"items[0].product_id", "items[0].quantity"}),
    ((ANY_ITEMS % f'[{ONE}, {{"product_id": 1}}]').encode(), {"items[1].quantity"}),
    ((ANY_ITEMS % '[{"product_id": 0, "quantity": 1, "price_unit": 0.01}]').encode(), {"items[0].price_unit"}),
    (GOOD.replace(b'{"c', b'{"total_amount": 0, "c'), {"total_amount"}),
    (GOOD.replace(b'{"c', b'{"status": "delivered", "order_id": "x", "c'), {"status", "order_id"}),
    (GOOD.replace(b'{"c', b'{"Customer_id": "c", "c'), {"Customer_id"}),
    ((ANY_PAYMENT % "null").encode(), {"payment"}),
    ((ANY_PAYMENT % "[]").encode(), {"payment"}),
    ((ANY_PAYMENT % '"tok_approved"').encode(), {"payment"}),
    ((ANY_PAYMENT % '{"amount": 0}').encode(), {"payment.amount"}),
    (
        b'{"customer_id": 1, "items": [{"product_id": -1, "quantity": 0}], "notes": 1, "payment": 1, "x": 1}',
        {"customer_id", "items[0].product_id", "items[0].quantity", "notes", "payment", "x"},
    ),
]  # fmt: skip
TABLE: list[tuple[bytes, set[str]]] = [
    *[(body, {"corpo"}) for body in NOT_JSON],
    *[(body.encode(), {"corpo"}) for body in NOT_OBJECTS],
    *[((ANY_QUANTITY % value).encode(), {"items[0].quantity"}) for value in QUANTITIES],
    *[((ANY_QUANTITY % value).encode(), {"items[0].quantity"}) for value in NOT_FINITE],
    *[((ANY_QUANTITY % value).encode(), {"corpo"}) for value in NOT_NUMBERS],
    *[((ANY_PRODUCT % value).encode(), {"items[0].product_id"}) for value in PRODUCTS],
    *[((ANY_PRODUCT % value).encode(), {"items[0].product_id"}) for value in NOT_FINITE],
    *[((ANY_PRODUCT % value).encode(), {"corpo"}) for value in NOT_NUMBERS],
    *[((ANY_CUSTOMER % value).encode(), {"customer_id"}) for value in CUSTOMERS],
    *[((ANY_CUSTOMER % value).encode(), {"corpo"}) for value in SURROGATES],
    *[((ANY_NOTES % value).encode(), {"notes"}) for value in NOTES],
    *[((ANY_PAYMENT % f'{{"token": {value}}}').encode(), {"payment.token"}) for value in TOKENS],
    *[(body.encode(), {field}) for body, field in TWICE],
    *OTHERS,
]


def send(client: FlaskClient, body: bytes, content_type: str | None = "application/json") -> TestResponse:
    return client.post(ORDERS, data=body, content_type=content_type, headers=API_KEY)


@pytest.fixture
def shop(reader: FlaskClient) -> Shop:
    """Return the shared shop, which no test here changes."""
    shop: Shop = reader.application.extensions["shop"]
    return shop


@pytest.fixture(autouse=True)
def _nothing_changes(shop: Shop) -> Any:
    before = traces(shop)
    yield
    assert traces(shop) == before


def name_of(value: object) -> str | None:
    return repr(value[:60]) if isinstance(value, bytes) else ""


@pytest.mark.parametrize(("body", "fields"), TABLE, ids=name_of)
def test_a_bad_body_is_refused_by_name(reader: FlaskClient, body: bytes, fields: set[str]) -> None:
    response = send(reader, body)
    assert fields_of(response) == fields
    assert len(response.data) < 4_000


@pytest.mark.parametrize(
    "content_type", ["text/plain", "application/x-www-form-urlencoded", "text/json", None, ""]
)
def test_an_order_that_is_not_called_json_is_415(reader: FlaskClient, content_type: str | None) -> None:
    problem_of(send(reader, GOOD, content_type), 415)
    problem_of(send_chunked(reader, GOOD, ORDERS, content_type or "", **API_KEY), 415)


@pytest.mark.parametrize("size", [1_000_001, 3_000_000])
def test_an_order_that_is_too_large_is_413(reader: FlaskClient, size: int) -> None:
    problem_of(send(reader, GOOD.ljust(size)), 413)
    problem_of(send_chunked(reader, GOOD.ljust(size), ORDERS, **API_KEY), 413)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (b"", "corpo"),
        (b"{", "corpo"),
        (b"null", "corpo"),
        (GOOD[:-1], "corpo"),
        (GOOD.replace(b": 1}", b": NaN}"), "items[0].quantity"),
    ],
)
def test_a_bad_body_in_chunks_is_refused_by_name(reader: FlaskClient, body: bytes, field: str) -> None:
    assert fields_of(send_chunked(reader, body, ORDERS, **API_KEY)) == {field}


def test_a_bad_body_is_not_read_for_who_has_no_key(reader: FlaskClient) -> None:
    problem_of(reader.post(ORDERS, data=b"{", content_type="application/json"), 401)


def test_an_idempotency_key_does_not_make_a_bad_body_good(reader: FlaskClient) -> None:
    for _ in range(2):
        response = reader.post(ORDERS, json={}, headers={**API_KEY, "Idempotency-Key": "k"})
        assert fields_of(response) == {"customer_id", "items"}
        assert "Idempotent-Replayed" not in response.headers


@pytest.mark.parametrize("line", ["0", "{}"])
def test_very_many_bad_lines_are_refused_briefly(reader: FlaskClient, line: str) -> None:
    body = (ANY_ITEMS % f"[{','.join([line] * 30_000)}]").encode()
    app = reader.application
    unchecked = FlaskClient(
        app, app.response_class
    )  # comparing so long an answer with the document takes seconds
    response = send(unchecked, body)
    assert response.status_code == 400
    assert len(response.data) < 100_000


@pytest.mark.parametrize("blank", ["\u3164", "\u115f", "\uffa0", "\u034f", "\u2800"])
def test_an_invisible_customer_is_refused(reader: FlaskClient, blank: str) -> None:
    missing = order_for((99, 1), customer_id=blank)  # 404, and so harmless, where the name is not refused
    assert fields_of(reader.post(ORDERS, json=missing, headers=API_KEY)) == {"customer_id"}
