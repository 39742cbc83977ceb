from __future__ import annotations

import io
import json
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.support.checks import fields_of, problem_of

LOGIN = "/api/v1/auth/login"
GOOD = {"username": "unknown", "password": "wrong"}


def send(client: FlaskClient, body: bytes, content_type: str | None = "application/json") -> TestResponse:
    return client.post(LOGIN, data=body, content_type=content_type)


def send_chunked(
    client: FlaskClient,
    body: bytes,
    path: str = LOGIN,
    content_type: str = "application/json",
    **headers: str,
) -> TestResponse:
    """Return what a server passes on for a body without a Content-Length."""
    return client.post(
        path,
        input_stream=io.BytesIO(body),
        content_type=content_type,
        headers=headers,
        environ_overrides={"HTTP_TRANSFER_ENCODING": "chunked", "wsgi.input_terminated": True},
    )


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (b"", "corpo"),
        (b"   ", "corpo"),
        (b"{", "corpo"),
        (b"{}x", "corpo"),
        (b"null", "corpo"),
        (b"[]", "corpo"),
        (b'[{"username": "a", "password": "b"}]', "corpo"),
        (b'"text"', "corpo"),
        (b"1", "corpo"),
        (b"true", "corpo"),
        (b'{"username": "a", "password": NaN}', "password"),
        (b'{"username": "a", "password": Infinity}', "password"),
        (b'{"username": "a", "password": -Infinity}', "password"),
        (b'{"username": "a", "password": 1e400}', "password"),
        (b'{"username": "a", "password": {"x": [0, NaN]}}', "password.x[1]"),
        (b'{"username": "a", "password": "b", "x": NaN}', "x"),
        (b"NaN", "corpo"),
        (b"[0, Infinity]", "[1]"),
        (b'{"username": "a", "password": ' + b"9" * 5_000 + b"}", "corpo"),
        (b'{"username": "a", "password": 99999999999999999999}', "password"),
        (b'{"username": "a", "username": "b", "password": "c"}', "username"),
        (b'{"username": "a", "password": {"x": 1, "x": 1}}', "x"),
        (b'{"username": "\\ud800", "password": "b"}', "corpo"),
        (b'{"\\udfff": 1, "username": "a", "password": "b"}', "corpo"),
        (b'{"\\ud800": 1, "\\ud800": 2}', "?"),
        (b'{"username": "\xff", "password": "b"}', "corpo"),
        ('{"username": "a", "password": "b"}'.encode("utf-16"), "corpo"),
        (b"[" * 200_000, "corpo"),
        (b'{"a":' * 50_000 + b"1" + b"}" * 50_000, "corpo"),
        (b'{"username": "a\x00", "password": "b"}', "corpo"),
        (b"{'username': 'a'}", "corpo"),
        (b'{"username": "a", "password": "b",}', "corpo"),
    ],
    ids=lambda value: repr(value[:40]) if isinstance(value, bytes) else None,
)
def test_what_is_not_a_json_object_in_utf_8_is_refused(reader: FlaskClient, body: bytes, field: str) -> None:
    assert fields_of(send(reader, body)) == {field}


@pytest.mark.parametrize(
    ("changes", "wrong"),
    [
        ({"username": 1}, {"username"}),
        ({"username": True}, {"username"}),
        ({"username": 1.5}, {"username"}),
        ({"username": []}, {"username"}),
        ({"username": {}}, {"username"}),
        ({"username": None}, {"username"}),
        ({"username": ""}, {"username"}),
        ({"username": "x" * 81}, {"username"}),
        ({"password": "x" * 129}, {"password"}),
        ({"username": "a\nb"}, {"username"}),
        ({"username": "a\u0000b"}, {"username"}),
        ({"password": "a\u007fb"}, {"password"}),
        ({"admin": True}, {"admin"}),
        ({"": 1}, {"corpo"}),
        ({"username": None, "password": 7, "extra": 1}, {"username", "password", "extra"}),
    ],
)
def test_each_wrong_field_is_named(reader: FlaskClient, changes: dict[str, Any], wrong: set[str]) -> None:
    assert fields_of(send(reader, json.dumps(GOOD | changes).encode())) == wrong


def test_missing_fields_are_all_named(reader: FlaskClient) -> None:
    response = send(reader, b"{}")
    assert fields_of(response) == {"username", "password"}
    assert response.get_json()["errors"][0]["message"] == "campo obrigatório"


@pytest.mark.parametrize(
    "body",
    [b"[]", b"{}", b'{"username": "a", "password": "b", "x": 1}', b'{"username": 1, "password": null}'],
)
def test_the_reasons_are_given_in_portuguese(reader: FlaskClient, body: bytes) -> None:
    reasons = " ".join(error["message"] for error in send(reader, body).get_json()["errors"]).lower()
    assert not {"field", "invalid", "input", "unknown", "type", "missing", "not"} & set(
        reasons.strip(".").split()
    )


def test_a_very_long_unknown_name_is_not_repeated_whole(reader: FlaskClient) -> None:
    response = send(reader, json.dumps({**GOOD, "x" * 10_000: 1, "é" * 10_000: 2}).encode())
    assert all(len(field) <= 80 for field in fields_of(response))
    assert len(response.data) < 2_000


def test_of_many_infinite_numbers_the_first_hundred_are_named(reader: FlaskClient) -> None:
    body = b'{"username": [' + b"NaN," * 500 + b"1e400]}"
    assert fields_of(send(reader, body)) == {f"username[{place}]" for place in range(100)}


def test_a_number_that_is_none_is_told_so(reader: FlaskClient) -> None:
    response = send(reader, b'{"username": "a", "password": NaN}')
    assert response.get_json()["errors"] == [{"field": "password", "message": "deve ser um número finito"}]


def test_of_many_unknown_names_the_first_hundred_are_named(reader: FlaskClient) -> None:
    response = send(reader, json.dumps({**GOOD, **{f"f{n}": n for n in range(500)}}).encode())
    assert len(fields_of(response)) == 100
    assert len(response.get_json()["detail"]) < 600


@pytest.mark.parametrize(
    "content_type",
    [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "text/json",
        None,
        "",
    ],
)
def test_a_body_that_is_not_called_json_is_415(reader: FlaskClient, content_type: str | None) -> None:
    problem = problem_of(send(reader, json.dumps(GOOD).encode(), content_type), 415)
    assert problem["error_type"] == "unsupported_media_type"


def test_a_byte_order_mark_before_the_body_does_no_harm(client: FlaskClient) -> None:
    body = b'\xef\xbb\xbf{"username": "admin", "password": "1234"}'
    assert send(client, body).status_code == 200


@pytest.mark.parametrize(
    "content_type", ["application/json; charset=utf-8", "APPLICATION/JSON", "application/x+json"]
)
def test_other_names_of_json_are_read(reader: FlaskClient, content_type: str) -> None:
    assert fields_of(send(reader, b"{}", content_type)) == {"username", "password"}


def test_an_announced_body_over_the_limit_is_413(reader: FlaskClient) -> None:
    problem = problem_of(send(reader, b"[" + b" " * 1_000_000), 413)
    assert "1000000" in problem["detail"]


def test_a_body_at_the_limit_is_read(reader: FlaskClient) -> None:
    assert fields_of(send(reader, b"{}".ljust(1_000_000))) == {"username", "password"}


@pytest.mark.parametrize("extra", [1, 2_000_000])
def test_a_chunked_body_over_the_limit_is_413(reader: FlaskClient, extra: int) -> None:
    problem_of(send_chunked(reader, b"{}".ljust(1_000_000 + extra)), 413)


def test_a_chunked_body_over_the_limit_is_413_for_an_admin_too(
    client: FlaskClient, as_admin: dict[str, str]
) -> None:
    problem_of(send_chunked(client, b"{}".ljust(1_000_001), "/api/v1/auth/newuser", **as_admin), 413)


def test_a_chunked_body_at_the_limit_is_read_whole(reader: FlaskClient) -> None:
    assert fields_of(send_chunked(reader, b"{}".ljust(1_000_000))) == {"username", "password"}


def test_a_chunked_body_that_is_not_called_json_is_415(reader: FlaskClient) -> None:
    problem_of(send_chunked(reader, json.dumps(GOOD).encode(), content_type="text/plain"), 415)


def test_a_chunked_body_that_is_not_json_is_told_so(reader: FlaskClient) -> None:
    response = send_chunked(reader, b"{")
    assert "não é JSON válido" in problem_of(response, 400)["detail"]


def test_nothing_hidden_behind_an_oversized_body_is_ever_read(reader: FlaskClient) -> None:
    hidden = b" " * 1_000_001 + json.dumps({"username": "admin", "password": "1234"}).encode()
    problem_of(send_chunked(reader, hidden), 413)


def test_a_login_may_be_chunked(client: FlaskClient) -> None:
    body = json.dumps({"username": "admin", "password": "1234"}).encode()
    assert send_chunked(client, body).status_code == 200


@pytest.mark.parametrize("path", ["/api/v1/scraping/trigger", "/api/v1/auth/refresh", "/api/v1/auth/logout"])
def test_a_large_body_is_413_where_none_is_wanted_and_the_document_says_so(
    reader: FlaskClient, path: str
) -> None:
    problem_of(reader.post(path, data=b" " * 1_000_001), 413)
