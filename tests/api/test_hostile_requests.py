"""What a tester tries by hand: no request ends in a 5xx, and no response repeats a `Host` that it was sent to."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient

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
