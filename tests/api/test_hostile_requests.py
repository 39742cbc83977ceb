"""What a tester tries by hand: no request ends in a 5xx, and no response repeats a `Host` that it was sent to."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient

from tests.support.checks import fields_of, problem_of

EVIL = "evil.example"


@pytest.mark.parametrize(
    ("low", "high", "books"),
    [
        ("0e999999999999999999", "1e999999999", 6),
        ("0e-999999999999999999", "0e999999999999999999", 0),
        ("1e-999999999999", "10", 1),
        ("1e999999999999999999", "1e999999999999999999", 0),
        ("0." + "0" * 30 + "1", "9" * 40, 6),
    ],
)
def test_a_price_may_be_written_with_any_exponent(
    reader: FlaskClient, low: str, high: str, books: int
) -> None:
    response = reader.get(f"/api/v1/books/price-range?min={low}&max={high}")
    assert response.status_code in (200, 400), response.text
    if response.status_code == 200:
        assert len(response.get_json()) == books


def test_no_response_repeats_the_host(reader: FlaskClient) -> None:
    paths = {rule.rule for rule in reader.application.url_map.iter_rules()} | {"/nowhere"}
    for rule in sorted(paths):
        path = rule.replace("<int:book_idx>", "0").replace("<path:filename>", "inicio.css")
        for form in (
            path,
            f"{path}/",
            f"/{path}",
            path.rstrip("/"),
            f"{path}?page=1&per_page=1",
            f"//{EVIL}{path}",
        ):
            for method in ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"):
                response = reader.open(
                    form,
                    method=method,
                    base_url=f"http://{EVIL}",
                    headers={"X-Forwarded-Host": EVIL},
                    buffered=True,
                )
                shown = f"{response.headers} {response.get_data(as_text=True)}"
                assert EVIL not in shown, f"{method} {form}: {shown[:300]}"
                assert response.status_code < 500
                assert response.status_code not in (301, 302, 303, 307, 308) or path == "/apidocs/index.html"


@pytest.mark.parametrize(
    "book_id", ["%D9%A0", "%EF%BC%90", "+0", "-0", "0x0", "1e0", "0%00", "%200", "9" * 5_000]
)
def test_an_id_in_a_path_is_written_in_plain_digits(reader: FlaskClient, book_id: str) -> None:
    problem_of(reader.get(f"/api/v1/books/{book_id}"), 404)


@pytest.mark.parametrize("text", ["%FF", "a%C3", "%ED%A0%80", "%F0%9F%98"])
def test_a_query_that_is_not_utf_8_is_refused(reader: FlaskClient, text: str) -> None:
    assert fields_of(reader.get(f"/api/v1/books/search?titulo={text}")) == {"query"}
    assert fields_of(reader.get(f"/api/v1/categories?{text}=1")) == {"query"}


@pytest.mark.parametrize(
    "number", ["+1", "%2B1", ".5", "5.", "1_0", "%201", "0x1", "1e", "1,5", "%D9%A1", "1%00", "nan", "inf"]
)
def test_a_number_in_a_query_is_written_as_in_json(reader: FlaskClient, number: str) -> None:
    assert fields_of(reader.get(f"/api/v1/books/price-range?min={number}&max=90")) == {"min"}


@pytest.mark.parametrize(
    "time",
    [
        "2026-W01",
        "20260101",
        "20260101T000000Z",
        "2026-01-01T00:00:00%2B01:00:30",
        "2026-01-01T00",
        "2026-01-01%0A",
    ],
)
def test_a_time_in_a_query_has_one_form(reader: FlaskClient, time: str) -> None:
    assert fields_of(reader.get(f"/api/v1/logs?since={time}")) == {"since"}


@pytest.mark.parametrize("method", ["get", "Get", "pOST"])
def test_a_method_has_one_spelling(reader: FlaskClient, method: str) -> None:
    app = reader.application
    unchecked = FlaskClient(app, app.response_class)  # the document knows no other spelling
    response = unchecked.open("/api/v1/books", environ_overrides={"REQUEST_METHOD": method})
    problem_of(response, 405)
    assert set(response.headers["Allow"].split(", ")) == {"GET", "HEAD", "OPTIONS"}


@pytest.mark.parametrize(
    "headers",
    [
        {"Content-Type": "text/json"},
        {"Content-Type": "application/json", "Content-Encoding": "gzip"},
        {"Content-Type": "application/json", "Content-Encoding": "br"},
    ],
)
def test_a_body_in_another_form_than_plain_json_is_refused(
    reader: FlaskClient, headers: dict[str, str]
) -> None:
    problem_of(
        reader.post("/api/v1/auth/login", data=b'{"username": "x", "password": "y"}', headers=headers), 415
    )
