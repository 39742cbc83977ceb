"""`/metrics` behind METRICS_TOKEN."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.conftest import ADMIN
from tests.support.checks import problem_of

TOKEN = "0123456789abcdef0123456789abcdef"


@pytest.fixture
def guarded(make_app: Callable[..., Flask]) -> FlaskClient:
    return make_app(metrics_token=TOKEN).test_client()


def test_metrics_are_open_where_no_token_is_set(client: FlaskClient) -> None:
    assert client.get("/metrics").status_code == 200
    assert client.get("/metrics", headers={"Authorization": "Bearer anything"}).status_code == 200


def test_the_token_opens_the_metrics(guarded: FlaskClient) -> None:
    response = guarded.get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"})
    assert response.status_code == 200
    assert "api_requests_total" in response.text


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "Bearer",
        "Bearer ",
        TOKEN,
        f"Basic {TOKEN}",
        f"bearer{TOKEN}",
        f"Bearer {TOKEN}0",
        f"Bearer {TOKEN[:-1]}",
        "Bearer é",
    ],
)
def test_anything_else_is_401(guarded: FlaskClient, header: str | None) -> None:
    response = guarded.get("/metrics", headers={} if header is None else {"Authorization": header})
    assert problem_of(response, 401)["error_type"] == "unauthorized_access"
    assert response.headers["WWW-Authenticate"].startswith("Bearer")
    assert TOKEN not in response.text


def test_a_users_token_does_not_open_the_metrics(guarded: FlaskClient) -> None:
    tokens = guarded.post("/api/v1/auth/login", json=ADMIN).get_json()
    problem_of(guarded.get("/metrics", headers={"Authorization": f"Bearer {tokens['access_token']}"}), 401)


def test_the_token_opens_nothing_else(guarded: FlaskClient) -> None:
    problem_of(guarded.get("/api/v1/scraping/runs", headers={"Authorization": f"Bearer {TOKEN}"}), 401)


def test_the_token_is_never_a_request_id(guarded: FlaskClient) -> None:
    assert guarded.get("/health", headers={"X-Request-ID": TOKEN}).headers["X-Request-ID"] != TOKEN
