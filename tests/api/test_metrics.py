"""`/metrics`: the names and labels that dashboards and alerts rely on, and how many series there can be."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text

from app.observability.metrics import METHODS
from app.shop import Shop
from app.web import middleware
from tests.api.conftest import open_shop
from tests.support.databases import ReadyShop
from tests.support.exposition import Samples, increase, labels_of, read_samples, value
from tests.support.orders import API_KEY, move, place
from tests.support.server import ROOT

MAX_SERIES = 1_200
REQUESTS = MAX_SERIES
"""One series for each unknown URL or book would be more than MAX_SERIES."""


def scrape(client: FlaskClient) -> Samples:
    return read_samples(client.get("/metrics").get_data(as_text=True))


def test_it_is_prometheus_text(reader: FlaskClient) -> None:
    response = reader.get("/metrics")
    assert response.headers["Content-Type"].startswith("text/plain; version=")
    assert read_samples(response.get_data(as_text=True))


def documented() -> list[str]:
    """The names in docs/metrics.md, but for those of the libraries."""
    return re.findall(
        r"^\| `(\w+)`", (ROOT / "docs" / "metrics.md").read_text(encoding="utf-8"), re.MULTILINE
    )


@pytest.fixture(scope="module")
def families(reader: FlaskClient) -> set[str]:
    reader.get("/nowhere")
    text = reader.get("/metrics").get_data(as_text=True)
    return set(re.findall(r"^# TYPE (\w+) ", text, re.MULTILINE))


@pytest.mark.parametrize("name", documented())
def test_every_documented_metric_is_there(families: set[str], name: str) -> None:
    assert name in families


def test_nothing_undocumented_is_there(families: set[str]) -> None:
    assert {name for name in families if not name.startswith(("process_", "python_"))} <= set(documented())


def test_requests_are_counted_by_route_and_exact_status_under_both_seeds_names(reader: FlaskClient) -> None:
    before = scrape(reader)
    for path in ("/api/v1/books/0", "/api/v1/books/1", "/api/v1/books/99999"):
        reader.get(path)
    counted = functools.partial(increase, before, scrape(reader))
    route = "/api/v1/books/<int:book_idx>"
    for name, label in (("api_requests_total", "endpoint"), ("flask_http_request_total", "path")):
        assert counted(name, method="GET", status=200, **{label: route}) == 2
        assert counted(name, method="GET", status=404, **{label: route}) == 1
    assert counted("api_request_latency_seconds_count", method="GET", endpoint=route) == 3
    assert counted("flask_http_request_duration_seconds_count", method="GET", path=route, status=200) == 2
    assert counted("api_errors_total", endpoint=route, error_type="not_found") == 1


@pytest.mark.parametrize(
    ("method", "path", "headers", "endpoint", "error_type"),
    [
        ("GET", "/orders", {}, "/orders", "unauthorized_access"),
        ("POST", "/orders", API_KEY, "/orders", "validation_error"),
        ("GET", "/nowhere", {}, "unmatched", "not_found"),
        ("PUT", "/orders", {}, "unmatched", "method_not_allowed"),
        ("GET", "/api/v1/books?page=x", {}, "/api/v1/books", "validation_error"),
    ],
)
def test_errors_are_counted_by_their_type(
    reader: FlaskClient, method: str, path: str, headers: dict[str, str], endpoint: str, error_type: str
) -> None:
    before = scrape(reader)
    reader.open(path, method=method, headers=headers)
    labels = {"endpoint": endpoint, "error_type": error_type}
    assert increase(before, scrape(reader), "api_errors_total", **labels) == 1


def test_a_body_refused_for_its_size_is_counted_for_its_route(reader: FlaskClient) -> None:
    before = scrape(reader)
    too_large = b"x" * (reader.application.config["MAX_CONTENT_LENGTH"] + 1)
    assert reader.post("/orders", data=too_large).status_code == 413
    counted = functools.partial(increase, before, scrape(reader))
    assert counted("api_errors_total", endpoint="/orders", error_type="payload_too_large") == 1
    assert counted("api_requests_total", method="POST", endpoint="/orders", status=413) == 1


def test_a_stream_is_timed_up_to_its_beginning(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr(middleware, "time", SimpleNamespace(perf_counter=lambda: now[0]))

    @app.get("/stream")
    def stream() -> Iterator[bytes]:
        now[0] += 0.5

        def parts() -> Iterator[bytes]:
            yield b"a part"
            now[0] += 60

        return parts()

    client = FlaskClient(app)
    assert client.get("/stream").data == b"a part"
    samples = scrape(client)
    assert value(samples, "api_request_latency_seconds_sum", method="GET", endpoint="/stream") == 0.5
    flask_name = "flask_http_request_duration_seconds_sum"
    assert value(samples, flask_name, method="GET", path="/stream", status=200) == 0.5


def test_orders_are_counted_by_what_became_of_their_payment(client: FlaskClient) -> None:
    total = place(client, (0, 2)).get_json()["total_amount"]
    place(client, (0, 1), token="tok_denied")
    place(client, (0, 1), token="tok_error")
    place(client, (0, 1_000))
    samples, name = scrape(client), "ecommerce_orders_created_total"
    assert value(samples, name, status="success", payment_status="approved") == 1
    assert value(samples, name, status="failure", payment_status="denied") == 1
    assert value(samples, name, status="failure", payment_status="error") == 1
    assert value(samples, "api_errors_total", endpoint="/orders", error_type="payment_denied_simulated") == 1
    assert value(samples, "api_errors_total", endpoint="/orders", error_type="insufficient_stock") == 1
    assert value(samples, "ecommerce_revenue_pounds_total") == pytest.approx(total)
    assert value(samples, "ecommerce_units_sold_total") == 2
    assert value(samples, "ecommerce_order_processing_latency_seconds_count", order_type="create") == 4
    assert value(samples, "livraria_payment_latency_seconds_count") == 3


def test_a_replayed_order_is_a_request_but_no_order(client: FlaskClient) -> None:
    for _ in range(3):
        place(client, (0, 1), headers={"Idempotency-Key": "k"})
    samples = scrape(client)
    assert value(samples, "ecommerce_orders_created_total", status="success", payment_status="approved") == 1
    assert value(samples, "api_requests_total", method="POST", endpoint="/orders", status=201) == 3


def test_the_stock_and_the_states_of_orders_are_shown_as_they_are(client: FlaskClient) -> None:
    before = scrape(client)
    order_id = place(client, (0, 2)).get_json()["order_id"]
    after = scrape(client)
    assert value(after, "livraria_stock_units") == value(before, "livraria_stock_units") - 2
    assert value(after, "livraria_orders", status="pending") == 1
    assert value(after, "ecommerce_inventory_level_gauge", product_id=0) == 13
    move(client, order_id, "cancelled")
    assert value(scrape(client), "livraria_orders", status="cancelled") == 1
    assert value(scrape(client), "ecommerce_inventory_level_gauge", product_id=0) == 15


@pytest.mark.parametrize("books", [0, 1, 7])
def test_only_so_many_books_have_a_series(make_app: Callable[..., Flask], books: int) -> None:
    client = make_app(metrics_inventory_books=books).test_client()
    for book in range(5):
        place(client, (book, 1))
    book_ids = labels_of(scrape(client), "ecommerce_inventory_level_gauge", "product_id")
    assert len(book_ids) == books
    if books == 7:
        assert {"4", "3", "2"} <= book_ids, "of those sold last, up to half"


def test_logins_are_counted_by_outcome(client: FlaskClient) -> None:
    for password in ("1234", "x", "x", "x", "x", "x", "x"):
        client.post("/api/v1/auth/login", json={"username": "admin", "password": password})
    samples = scrape(client)
    assert value(samples, "livraria_logins_total", outcome="success") == 1
    assert value(samples, "livraria_logins_total", outcome="failure") == 5
    assert value(samples, "livraria_logins_total", outcome="throttled") == 1


def test_an_audit_that_finds_something_shows(client: FlaskClient, shop: Shop) -> None:
    with shop.database.writing() as session:
        session.execute(text("UPDATE livros SET disponibilidade = disponibilidade + 1 WHERE id < 3"))
    shop.audit_tasks.run_pending()
    assert value(scrape(client), "ecommerce_ledger_mismatches") == 3


def test_the_gauge_of_requests_in_flight_goes_down_again_when_a_handler_raises(
    client: FlaskClient, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    def crash(*_arguments: object) -> None:
        raise RuntimeError

    monkeypatch.setattr(shop.orders.__class__, "orders", crash)
    assert client.get("/orders", headers=API_KEY).status_code == 500
    assert value(scrape(client), "ecommerce_active_sessions_gauge") == 1, "only the one that asks"


def test_the_gauge_goes_down_again_when_the_client_hangs_up_before_the_end(app: Flask) -> None:
    @app.get("/endless")
    def endless() -> Iterator[bytes]:
        while True:
            yield b"more"

    reader = FlaskClient(app)
    response = reader.get("/endless", buffered=False)
    assert next(iter(response.response)) == b"more"
    assert value(scrape(reader), "ecommerce_active_sessions_gauge") == 2
    response.close()
    assert value(scrape(reader), "ecommerce_active_sessions_gauge") == 1


def test_a_database_that_does_not_answer_costs_the_state_and_nothing_else(
    client: FlaskClient, shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_arguments: object) -> None:
        raise OSError("no disk")

    client.get("/nowhere")
    monkeypatch.setattr(shop.database.__class__, "reading", fail)
    samples = scrape(client)
    assert value(samples, "api_errors_total", endpoint="unmatched", error_type="not_found") == 1
    assert not labels_of(samples, "livraria_orders", "status")


def test_two_applications_share_no_figure(make_app: Callable[..., Flask]) -> None:
    one, other = make_app().test_client(), make_app().test_client()
    one.get("/nowhere")
    assert "unmatched" in labels_of(scrape(one), "api_requests_total", "endpoint")
    assert "unmatched" not in labels_of(scrape(other), "api_requests_total", "endpoint")


@pytest.fixture(scope="module")
def first_samples(ready_shop: ReadyShop, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Samples]:
    """The samples of a shop before its first request."""
    with open_shop(ready_shop, tmp_path_factory.mktemp("new") / "data") as app:
        yield scrape(app.test_client())


@pytest.mark.parametrize(
    ("method", "endpoint", "status", "error_type"),
    [
        ("POST", "/orders", 201, None),
        ("POST", "/orders", 400, "validation_error"),
        ("POST", "/orders", 402, "payment_denied_simulated"),
        ("POST", "/orders", 409, "insufficient_stock"),
        ("POST", "/orders", 500, "internal_server_error"),
        ("POST", "/orders", 504, "payment_gateway_timeout"),
        ("GET", "/api/v1/books", 200, None),
        ("GET", "/api/v1/books/<int:book_idx>", 404, "not_found"),
        ("POST", "/api/v1/auth/login", 429, "rate_limited"),
        ("GET", "/health", 503, "service_unavailable"),
    ],
)
def test_the_responses_that_a_route_declares_have_series_from_the_start(
    first_samples: Samples, method: str, endpoint: str, status: int, error_type: str | None
) -> None:
    assert value(first_samples, "api_requests_total", method=method, endpoint=endpoint, status=status) == 0
    if error_type is not None:
        assert value(first_samples, "api_errors_total", endpoint=endpoint, error_type=error_type) == 0


def test_clients_cannot_make_series(app: Flask) -> None:
    client = FlaskClient(app)
    methods = ("GET", "POST", "BREW", "get", "X" * 100)
    for number in range(REQUESTS):
        client.open(f"/unknown/{number}?x={number}", method=methods[number % len(methods)])
        client.get(f"/api/v1/books/{number % 1_000}")
    text = client.get("/metrics").get_data(as_text=True)
    series = read_samples(text)
    assert len(series) < MAX_SERIES
    assert len(text) < 150_000
    assert labels_of(series, "api_requests_total", "method") <= METHODS | {"other"}
