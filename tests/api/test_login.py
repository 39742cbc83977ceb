from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from app.services.accounts import Accounts
from app.services.passwords import Passwords
from app.shop import Shop
from app.start import prepare
from app.storage.models import UserRow
from tests.conftest import ADMIN
from tests.support.checks import problem_of


def attempt(
    client: FlaskClient,
    username: str = "admin",
    password: str = "wrong",
    address: str = "10.0.0.1",
    **headers: str,
) -> TestResponse:
    return client.post(
        "/api/v1/auth/login",
        json={"username": username, "password": password},
        headers=headers,
        environ_overrides={"REMOTE_ADDR": address},
    )


def password_hash(app: Flask) -> str:
    shop: Shop = app.extensions["shop"]
    with shop.database.reading() as session:
        return session.scalars(select(UserRow.password_hash).where(UserRow.username == "admin")).one()


def test_a_login_returns_two_tokens_that_are_not_cached(client: FlaskClient) -> None:
    response = client.post("/api/v1/auth/login", json=ADMIN)
    assert set(response.get_json()) == {"access_token", "refresh_token"}
    assert response.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    ("username", "password"),
    [
        ("admin", "12345"),
        ("admin", "123"),
        ("admin", " 1234"),
        ("Admin", "1234"),
        ("unknown", "1234"),
        ("' OR 1=1 --", "x"),
    ],
)
def test_a_wrong_login_is_401_and_never_says_what_was_wrong(
    client: FlaskClient, username: str, password: str
) -> None:
    assert problem_of(attempt(client, username, password), 401)["detail"] == "Usuário ou senha inválidos."


class CountingPasswords(Passwords):
    """Remembers the hashes that were verified; None stands for a user that doesn't exist."""

    verified: list[str | None]

    def matches(self, password_hash: str | None, password: str) -> bool:
        self.verified.append(password_hash)
        return super().matches(password_hash, password)


class CountingHasher:
    """The hasher of a Passwords, counting what costs time."""

    def __init__(self, hasher: Any) -> None:
        self._hasher = hasher
        self.verifications = 0

    def verify(self, password_hash: str, password: str) -> bool:
        self.verifications += 1
        return bool(self._hasher.verify(password_hash, password))


def test_an_unknown_user_costs_as_many_hashes_as_a_known_one(
    app: Flask, client: FlaskClient, shop: Shop
) -> None:
    passwords = CountingPasswords(shop.settings)
    passwords.verified = []
    hasher = CountingHasher(passwords._hasher)
    passwords._hasher = hasher  # type: ignore[assignment]
    app.extensions["shop"] = replace(shop, accounts=Accounts(shop.database, passwords, 4))
    for username in ("admin", "unknown"):
        problem_of(attempt(client, username), 401)
    assert [verified is None for verified in passwords.verified] == [False, True]
    assert hasher.verifications == 2


def test_an_unknown_users_password_is_never_right(shop: Shop) -> None:
    passwords = Passwords(shop.settings)
    assert not passwords.matches(None, "")
    assert not passwords.matches("not a hash", "1234")
    assert passwords.hash("same") != passwords.hash("same")


def test_repeated_failures_make_an_account_wait(make_app: Callable[..., Flask]) -> None:
    client = make_app(login_failures_per_minute=3).test_client()
    for _ in range(3):
        problem_of(attempt(client), 401)
    refused = attempt(client)
    assert problem_of(refused, 429)["error_type"] == "rate_limited"
    assert 1 <= int(refused.headers["Retry-After"]) <= 62
    problem_of(attempt(client, password="1234"), 429)


def test_an_account_waits_for_one_address_and_one_name_only(make_app: Callable[..., Flask]) -> None:
    client = make_app(login_failures_per_minute=1).test_client()
    problem_of(attempt(client), 401)
    problem_of(attempt(client), 429)
    assert attempt(client, password="1234", address="10.0.0.2").status_code == 200
    problem_of(attempt(client, "another"), 401)


def test_an_address_waits_whatever_the_accounts_it_tries(make_app: Callable[..., Flask]) -> None:
    client = make_app(login_failures_per_address=4).test_client()
    for number in range(4):
        problem_of(attempt(client, f"user{number}"), 401)
    refused = attempt(client, "user5")
    problem_of(refused, 429)
    assert int(refused.headers["Retry-After"]) >= 1
    assert attempt(client, password="1234", address="10.0.0.2").status_code == 200


def test_successes_and_bad_requests_do_not_count_as_failures(make_app: Callable[..., Flask]) -> None:
    client = make_app(login_failures_per_minute=2, login_failures_per_address=2).test_client()
    for _ in range(4):
        assert attempt(client, password="1234").status_code == 200
        assert attempt(client, username="").status_code == 400
    problem_of(attempt(client), 401)
    assert attempt(client, password="1234").status_code == 200


def test_an_address_cannot_be_made_up(make_app: Callable[..., Flask]) -> None:
    client = make_app(login_failures_per_address=2).test_client()
    for number in range(2):
        problem_of(attempt(client, f"u{number}", **{"X-Forwarded-For": f"9.9.9.{number}"}), 401)
    problem_of(attempt(client, "u3", **{"X-Forwarded-For": "9.9.9.3"}), 429)


def test_behind_a_proxy_each_client_has_its_own_address(make_app: Callable[..., Flask]) -> None:
    client = make_app(login_failures_per_address=1, trusted_proxies=1).test_client()
    problem_of(attempt(client, **{"X-Forwarded-For": "9.9.9.1"}), 401)
    problem_of(attempt(client, **{"X-Forwarded-For": "9.9.9.1"}), 429)
    problem_of(attempt(client, **{"X-Forwarded-For": "9.9.9.2"}), 401)
    problem_of(attempt(client, **{"X-Forwarded-For": "9.9.9.3, 9.9.9.2"}), 429)


def test_one_ipv6_network_is_one_client(make_app: Callable[..., Flask]) -> None:
    client = make_app(login_failures_per_minute=5, trusted_proxies=1).test_client()
    statuses = [
        attempt(client, **{"X-Forwarded-For": f"2001:db8::{number:x}"}).status_code for number in range(1, 41)
    ]
    assert statuses == [401] * 5 + [429] * 35


@pytest.mark.parametrize("written", ["8.8.8.8:{}", "[2001:db8::1]:{}", "hunter{}"])
def test_what_a_proxy_writes_beside_the_address_makes_no_new_client(
    written: str, make_app: Callable[..., Flask]
) -> None:
    client = make_app(login_failures_per_minute=5, trusted_proxies=1).test_client()
    forwarded = (written.format(port) for port in range(40_001, 40_011))
    statuses = [attempt(client, **{"X-Forwarded-For": text}).status_code for text in forwarded]
    assert statuses == [401] * 5 + [429] * 5


def test_two_applications_share_no_failures(make_app: Callable[..., Flask]) -> None:
    first = make_app(login_failures_per_minute=1).test_client()
    problem_of(attempt(first), 401)
    second = make_app(login_failures_per_minute=1).test_client()
    problem_of(attempt(second, "other"), 401)
    problem_of(attempt(first), 429)
    assert attempt(first, "other").status_code == 401


def test_a_hash_of_another_cost_is_replaced_at_the_next_login(make_app: Callable[..., Flask]) -> None:
    app = make_app(password_hash_rounds=2)
    before = password_hash(app)
    assert "t=1" in before
    attempt(app.test_client(), password="wrong")
    assert password_hash(app) == before
    assert attempt(app.test_client(), password="1234").status_code == 200
    after = password_hash(app)
    assert "t=2" in after
    assert attempt(app.test_client(), password="1234").status_code == 200
    assert password_hash(app) == after


def test_a_start_in_production_replaces_the_sample_password(make_app: Callable[..., Flask]) -> None:
    production = {"app_env": "production", "admin_password": "a long password"}
    app = make_app(**production)
    prepare(app)
    client = app.test_client()
    problem_of(attempt(client, password="1234"), 401)
    assert attempt(client, password="a long password").status_code == 200
    prepare(make_app(**(production | {"admin_password": "another password"})))
    assert attempt(client, password="a long password").status_code == 200
