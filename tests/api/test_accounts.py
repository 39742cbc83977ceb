"""Users and their logins: names, passwords, and what ends a login."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.start import prepare
from tests.conftest import ADMIN
from tests.support.checks import fields_of, problem_of

NEWUSER = "/api/v1/auth/newuser"
REFRESH = "/api/v1/auth/refresh"
RUNS = "/api/v1/scraping/runs"
PRODUCTION: dict[str, Any] = {"app_env": "production", "admin_password": "a long password"}


def composed(text: str) -> str:
    return unicodedata.normalize("NFC", text)


def decomposed(text: str) -> str:
    return unicodedata.normalize("NFD", text)


def log_in(client: FlaskClient, username: str, password: str) -> dict[str, str]:
    response = client.post("/api/v1/auth/login", json={"username": username, "password": password})
    assert response.status_code == 200, response.text
    tokens: dict[str, str] = response.get_json()
    return tokens


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def test_going_to_production_ends_the_logins_of_the_sample_password(make_app: Callable[..., Flask]) -> None:
    tokens = log_in(make_app().test_client(), **ADMIN)
    app = make_app(**PRODUCTION)
    prepare(app)
    client = app.test_client()
    problem_of(client.post(REFRESH, headers=bearer(tokens["refresh_token"])), 401)
    problem_of(client.get(RUNS, headers=bearer(tokens["access_token"])), 401)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (composed("josé"), decomposed("josé")),
        (decomposed("josé"), composed("josé")),
        ("maria", "Maria"),
        ("STRASSE", "straße"),
        (composed("ÉVA"), decomposed("éva")),
    ],
)
def test_two_spellings_of_a_name_are_one_user(
    client: FlaskClient, as_admin: dict[str, str], first: str, second: str
) -> None:
    one, other = ({"username": name, "password": "12345"} for name in (first, second))
    assert client.post(NEWUSER, json=one, headers=as_admin).status_code == 201
    problem_of(client.post(NEWUSER, json=other, headers=as_admin), 409)


def test_a_name_beside_the_admins_is_taken(client: FlaskClient, as_admin: dict[str, str]) -> None:
    body = {"username": "Admin", "password": "12345"}
    problem_of(client.post(NEWUSER, json=body, headers=as_admin), 409)


def test_a_reserved_name_is_refused_in_every_spelling(client: FlaskClient, as_admin: dict[str, str]) -> None:
    for name in ("chave-api", "CHAVE-API", "Recuperacao"):
        body = {"username": name, "password": "12345"}
        assert fields_of(client.post(NEWUSER, json=body, headers=as_admin)) == {"username"}


@pytest.mark.parametrize("form", [composed, decomposed])
@pytest.mark.parametrize("other", [composed, decomposed])
def test_a_user_logs_in_however_the_keyboard_composes_accents(
    client: FlaskClient, as_admin: dict[str, str], form: Callable[[str], str], other: Callable[[str], str]
) -> None:
    body = {"username": form("josé"), "password": form("paráfrase")}
    assert client.post(NEWUSER, json=body, headers=as_admin).status_code == 201
    log_in(client, other("josé"), other("paráfrase"))
