"""CORS and HSTS, in front of the responses that are kept."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.conftest import ADMIN
from tests.support.checks import problem_of

BOOKS = "/api/v1/books?page=1&per_page=5"
ORIGIN = "https://loja.example"
OTHER = "https://outra.example"
PATHS = (BOOKS, "/api/v1/books/0", "/health", "/nowhere", "/api/v1/scraping/runs", "/apispec_1.json")


@pytest.fixture
def open_shop(make_app: Callable[..., Flask]) -> FlaskClient:
    """A client of a shop that pages of two origins may call."""
    return make_app(cors_origins=(ORIGIN, "http://localhost:3000")).test_client()


def allowed(response: TestResponse) -> str | None:
    return response.headers.get("Access-Control-Allow-Origin")


def cors(response: TestResponse) -> list[str]:
    return [name for name, _ in response.headers if name.startswith("Access-Control-")]


def preflight(client: FlaskClient, path: str, origin: str, method: str = "POST") -> TestResponse:
    headers = {"Origin": origin, "Access-Control-Request-Method": method}
    return client.options(path, headers={**headers, "Access-Control-Request-Headers": "authorization"})


@pytest.mark.parametrize("path", PATHS)
def test_no_page_of_another_origin_may_call_a_shop_that_names_none(client: FlaskClient, path: str) -> None:
    for _ in range(2):
        response = client.get(path, headers={"Origin": ORIGIN})
        assert cors(response) == []
        assert "Origin" not in response.headers.get("Vary", "")
    assert cors(preflight(client, path, ORIGIN)) == []


@pytest.mark.parametrize("path", PATHS)
def test_each_origin_gets_its_own_answer_also_from_the_responses_that_are_kept(
    open_shop: FlaskClient, path: str
) -> None:
    for origin in (ORIGIN, OTHER, None, ORIGIN, "http://localhost:3000", None, OTHER):
        response = open_shop.get(path, headers={} if origin is None else {"Origin": origin})
        assert allowed(response) == (None if origin in (None, OTHER) else origin)
        assert ("Access-Control-Expose-Headers" in response.headers) is (origin not in (None, OTHER))
        assert "Access-Control-Allow-Credentials" not in response.headers
        assert "Origin" in [part.strip() for part in response.headers["Vary"].split(",")]


def test_what_a_response_varied_by_it_still_varies_by(open_shop: FlaskClient) -> None:
    for _ in range(2):
        response = open_shop.get(BOOKS, headers={"Origin": ORIGIN})
        assert response.headers.getlist("Vary") == ["Accept, Accept-Encoding, Origin"]
    unchanged = open_shop.get(BOOKS, headers={"Origin": ORIGIN, "If-None-Match": response.headers["ETag"]})
    assert (unchanged.status_code, allowed(unchanged)) == (304, ORIGIN)


@pytest.mark.parametrize(
    "origin",
    [
        "https://loja.example.evil.example",
        "http://loja.example",
        "https://LOJA.example",
        f"{ORIGIN}:443",
        f"{ORIGIN}/",
        f"{ORIGIN}, {OTHER}",
        "null",
        "*",
        "",
    ],
)
def test_an_origin_that_is_only_alike_is_another(open_shop: FlaskClient, origin: str) -> None:
    assert cors(open_shop.get(BOOKS, headers={"Origin": origin})) == []
    assert cors(preflight(open_shop, BOOKS, origin)) == []


def test_a_preflight_is_told_what_the_shop_understands(open_shop: FlaskClient) -> None:
    for path, method in (
        ("/orders", "POST"),
        ("/orders/ORDER-0/status", "PUT"),
        ("/orders/ORDER-0", "PATCH"),
    ):
        response = preflight(open_shop, path, ORIGIN, method)
        assert response.status_code == 200
        assert allowed(response) == ORIGIN
        assert method in response.headers["Access-Control-Allow-Methods"]
        names = response.headers["Access-Control-Allow-Headers"].lower()
        assert {"authorization", "x-api-key", "content-type", "if-match", "idempotency-key"} <= {
            name.strip() for name in names.split(",")
        }
        assert int(response.headers["Access-Control-Max-Age"]) > 0
    assert cors(preflight(open_shop, "/orders", OTHER)) == []


def test_an_options_request_that_is_no_preflight_gets_no_more_than_others(open_shop: FlaskClient) -> None:
    response = open_shop.options("/orders", headers={"Origin": ORIGIN})
    assert "Access-Control-Allow-Methods" not in response.headers
    assert allowed(response) == ORIGIN


def test_a_page_may_log_in_and_read_the_refusals(open_shop: FlaskClient) -> None:
    login = open_shop.post("/api/v1/auth/login", json=ADMIN, headers={"Origin": ORIGIN})
    assert (login.status_code, allowed(login)) == (200, ORIGIN)
    refused = open_shop.get("/api/v1/scraping/runs", headers={"Origin": ORIGIN})
    problem_of(refused, 401)
    assert allowed(refused) == ORIGIN


HSTS = "Strict-Transport-Security"


def test_production_keeps_clients_that_came_by_tls_and_no_others(make_app: Callable[..., Flask]) -> None:
    client = make_app(app_env="production", trusted_proxies=1).test_client()
    for path in PATHS:
        for scheme, hsts in (("http", False), ("https", True), ("http", False), ("https", True)):
            response = client.get(path, headers={"X-Forwarded-Proto": scheme})
            assert (HSTS in response.headers) is hsts, (path, scheme)
    assert "max-age=" in response.headers[HSTS]


def test_hsts_follows_the_connection_where_no_proxy_is_trusted(make_app: Callable[..., Flask]) -> None:
    client = make_app(app_env="production").test_client()
    assert HSTS not in client.get("/health", headers={"X-Forwarded-Proto": "https"}).headers
    assert HSTS in client.get("/health", base_url="https://localhost").headers


def test_development_sets_no_hsts(make_app: Callable[..., Flask]) -> None:
    client = make_app(trusted_proxies=1, cors_origins=(ORIGIN,)).test_client()
    assert HSTS not in client.get("/health", headers={"X-Forwarded-Proto": "https"}).headers
