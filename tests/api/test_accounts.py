"""Users and their logins: names, passwords, and what ends a login."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jwt
import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from app.factory import create_app
from app.services.passwords import Passwords
from app.settings import SAMPLE_API_KEY
from app.shop import Shop
from app.start import prepare
from app.storage.models import LoginRow
from tests.conftest import ADMIN, close
from tests.support.accounts import LONELY, USERS, upgrade_with_doubles
from tests.support.checks import fields_of, problem_of
from tests.support.shop import SECRET, make_settings

NEWUSER = "/api/v1/auth/newuser"
REFRESH = "/api/v1/auth/refresh"
PASSWORD = "/api/v1/auth/password"
LOGOUT = "/api/v1/auth/logout"
RUNS = "/api/v1/scraping/runs"
PRODUCTION: dict[str, Any] = {"app_env": "production", "admin_password": "a long password"}


def composed(text: str) -> str:
    return unicodedata.normalize("NFC", text)


def decomposed(text: str) -> str:
    return unicodedata.normalize("NFD", text)


def log_in(client: FlaskClient, username: str, password: str) -> dict[str, Any]:
    response = client.post("/api/v1/auth/login", json={"username": username, "password": password})
    assert response.status_code == 200, response.text
    tokens: dict[str, Any] = response.get_json()
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


def change(client: FlaskClient, tokens: dict[str, Any], current: str, new: str) -> TestResponse:
    body = {"senha_atual": current, "senha_nova": new}
    return client.post(PASSWORD, json=body, headers=bearer(tokens["access_token"]))


def test_a_user_changes_its_own_password_and_only_this_login_goes_on(client: FlaskClient) -> None:
    other, tokens = log_in(client, **ADMIN), log_in(client, **ADMIN)
    response = change(client, tokens, "1234", "outra senha")
    assert (response.status_code, response.data) == (204, b"")
    assert client.get(RUNS, headers=bearer(tokens["access_token"])).status_code == 200
    assert client.post(REFRESH, headers=bearer(tokens["refresh_token"])).status_code == 200
    problem_of(client.get(RUNS, headers=bearer(other["access_token"])), 401)
    problem_of(client.post(REFRESH, headers=bearer(other["refresh_token"])), 401)
    problem_of(client.post("/api/v1/auth/login", json=ADMIN), 401)
    log_in(client, "admin", "outra senha")


def test_an_operator_changes_its_own_password_and_no_other(
    client: FlaskClient, as_admin: dict[str, str], as_operator: dict[str, str]
) -> None:
    body = {"senha_atual": "12345", "senha_nova": "54321"}
    assert client.post(PASSWORD, json=body, headers=as_operator).status_code == 204
    log_in(client, "operadora", "54321")
    assert client.get(RUNS, headers=as_admin).status_code == 200
    log_in(client, **ADMIN)


@pytest.mark.parametrize(
    ("current", "new", "wrong"),
    [
        ("1234", "123", {"senha_nova"}),
        ("1234", "1234", {"senha_nova"}),
        ("1234", "", {"senha_nova"}),
        ("1234", "x" * 129, {"senha_nova"}),
        ("1234", "x\x00y1", {"senha_nova"}),
        ("", "54321", {"senha_atual"}),
    ],
)
def test_a_bad_new_password_is_refused(client: FlaskClient, current: str, new: str, wrong: set[str]) -> None:
    assert fields_of(change(client, log_in(client, **ADMIN), current, new)) == wrong
    log_in(client, **ADMIN)


def test_a_wrong_current_password_changes_nothing_and_may_not_be_guessed(
    make_app: Callable[..., Flask],
) -> None:
    client = make_app(login_failures_per_minute=2).test_client()
    other, tokens = log_in(client, **ADMIN), log_in(client, **ADMIN)
    for guess in ("guess", "guess2"):
        assert (
            problem_of(change(client, tokens, guess, "54321"), 401)["detail"] == "A senha atual não confere."
        )
    problem_of(change(client, tokens, "1234", "54321"), 429)
    assert client.get(RUNS, headers=bearer(other["access_token"])).status_code == 200


def test_neither_another_token_of_the_login_nor_another_spelling_of_its_header_is_another_guess(
    make_app: Callable[..., Flask],
) -> None:
    client = make_app(login_failures_per_minute=2).test_client()
    tokens = log_in(client, **ADMIN)
    problem_of(change(client, tokens, "guess", "54321"), 401)
    renewed = client.post(REFRESH, headers=bearer(tokens["refresh_token"])).get_json()
    problem_of(change(client, renewed, "guess2", "54321"), 401)
    problem_of(change(client, renewed, "1234", "54321"), 429)
    spelt = {"Authorization": f"Other x, Bearer {renewed['access_token']}"}
    body = {"senha_atual": "1234", "senha_nova": "54321"}
    problem_of(client.post(PASSWORD, json=body, headers=spelt), 429)
    other = log_in(client, **ADMIN)
    assert change(client, other, "1234", "54321").status_code == 204


def test_a_login_in_flight_does_not_outlive_the_password_it_was_made_with(
    app: Flask, client: FlaskClient, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    check = shop.accounts._passwords.matches

    def check_and_be_overtaken(password_hash: str | None, password: str) -> bool:
        matches = check(password_hash, password)
        if password == "1234" and matches:
            monkeypatch.undo()
            shop.accounts.reset_password("admin", "outra senha")
        return matches

    monkeypatch.setattr(Passwords, "matches", lambda _self, *given: check_and_be_overtaken(*given))
    problem_of(client.post("/api/v1/auth/login", json=ADMIN), 401)
    with shop.database.reading() as session:
        assert session.scalars(select(LoginRow)).all() == []


def test_a_login_in_flight_survives_another_that_stores_a_new_hash_of_the_password(
    make_app: Callable[..., Flask], monkeypatch: pytest.MonkeyPatch
) -> None:
    app = make_app(password_hash_rounds=2, logins_at_once=2)
    check = app.extensions["shop"].accounts._passwords.matches

    def check_and_be_overtaken(password_hash: str | None, password: str) -> bool:
        monkeypatch.undo()
        log_in(app.test_client(), **ADMIN)
        return bool(check(password_hash, password))

    monkeypatch.setattr(Passwords, "matches", lambda _self, *given: check_and_be_overtaken(*given))
    log_in(app.test_client(), **ADMIN)


@pytest.fixture
def first_admin(make_app: Callable[..., Flask]) -> Flask:
    """A shop in production whose admin still has the password of ADMIN_PASSWORD."""
    app = make_app(**PRODUCTION)
    prepare(app)
    return app


def test_the_first_admin_of_production_may_only_change_its_password_or_log_out(first_admin: Flask) -> None:
    client = first_admin.test_client()
    tokens = log_in(client, "admin", "a long password")
    assert tokens["deve_trocar_senha"] is True
    access = bearer(tokens["access_token"])
    for response in (
        client.get(RUNS, headers=access),
        client.get("/api/v1/logs", headers=access),
        client.put("/api/v1/simulation", json={}, headers=access),
        client.post(NEWUSER, json={"username": "x", "password": "12345678"}, headers=access),
        client.post(REFRESH, headers=bearer(tokens["refresh_token"])),
        client.get("/orders", headers={**access, "X-API-Key": SAMPLE_API_KEY}),
    ):
        assert PASSWORD in problem_of(response, 403)["detail"]
    assert client.get("/api/v1/books").status_code == 200
    assert client.post(LOGOUT, headers=access).status_code == 204


def test_the_first_admin_is_admitted_once_it_has_a_password_of_its_own(first_admin: Flask) -> None:
    client = first_admin.test_client()
    tokens = log_in(client, "admin", "a long password")
    assert fields_of(change(client, tokens, "a long password", "a long password")) == {"senha_nova"}
    assert change(client, tokens, "a long password", "quite another one").status_code == 204
    assert client.get(RUNS, headers=bearer(tokens["access_token"])).status_code == 200
    assert "deve_trocar_senha" not in log_in(client, "admin", "quite another one")
    prepare(first_admin)  # a restart asks for no other
    assert "deve_trocar_senha" not in log_in(client, "admin", "quite another one")


def test_a_production_that_starts_empty_asks_its_admin_for_another_password(tmp_path: Path) -> None:
    app = create_app(make_settings(tmp_path, **PRODUCTION))
    prepare(app)
    try:
        assert "deve_trocar_senha" in log_in(app.test_client(), "admin", "a long password")
    finally:
        close(app)


def test_a_password_from_the_command_line_is_the_users_own(first_admin: Flask) -> None:
    first_admin.extensions["shop"].accounts.reset_password("admin", "chosen by a person")
    assert "deve_trocar_senha" not in log_in(first_admin.test_client(), "admin", "chosen by a person")


def test_the_sample_admin_of_development_is_asked_for_nothing(client: FlaskClient) -> None:
    assert set(log_in(client, **ADMIN)) == {"access_token", "refresh_token"}


def test_users_of_an_older_release_log_in_as_before_also_where_they_share_a_name(
    app: Flask, client: FlaskClient, shop: Shop
) -> None:
    tokens = log_in(client, **ADMIN)
    upgrade_with_doubles(app)
    assert client.get(RUNS, headers=bearer(tokens["access_token"])).status_code == 200
    ids = [
        jwt.decode(log_in(client, name, name)["access_token"], SECRET, algorithms=["HS256"])["sub"]
        for name in USERS
    ]
    assert len(set(ids)) == len(USERS)
    log_in(client, **ADMIN)
    listed = {account.user.username: account.duplicated for account in shop.accounts.list_accounts()}
    assert listed == {
        "admin": False,
        "Admin": True,
        decomposed("josé"): False,
        composed("josé"): True,
        "JOSÉ": True,
        composed("éva"): False,  # alone, it is composed now, and found by either form
        "maria": False,
    }
    log_in(client, composed("éva"), LONELY)


def test_a_name_that_was_given_twice_is_given_no_third_time(app: Flask, client: FlaskClient) -> None:
    upgrade_with_doubles(app)
    as_admin = bearer(log_in(client, **ADMIN)["access_token"])
    for name in ("ADMIN", "José", "Maria", composed("Éva")):
        body = {"username": name, "password": "12345"}
        problem_of(client.post(NEWUSER, json=body, headers=as_admin), 409)
