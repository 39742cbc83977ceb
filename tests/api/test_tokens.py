from __future__ import annotations

import base64
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import update

from app.shop import Shop
from app.storage.models import LoginRow
from tests.conftest import ADMIN
from tests.support.checks import problem_of
from tests.support.shop import SECRET

RUNS = "/api/v1/scraping/runs"
REFRESH = "/api/v1/auth/refresh"
LOGOUT = "/api/v1/auth/logout"


def log_in(client: FlaskClient) -> dict[str, str]:
    tokens: dict[str, str] = client.post("/api/v1/auth/login", json=ADMIN).get_json()
    return tokens


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def claims_of(token: str) -> dict[str, Any]:
    claims: dict[str, Any] = jwt.decode(token, SECRET, algorithms=["HS256"])
    return claims


def without(claims: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in claims.items() if key != name}


def unsigned(claims: dict[str, Any]) -> str:
    parts = [json.dumps(part).encode() for part in ({"alg": "none", "typ": "JWT"}, claims)]
    return ".".join(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts) + "."


def test_tokens_carry_the_seeds_claims(client: FlaskClient) -> None:
    tokens = log_in(client)
    access, refresh = claims_of(tokens["access_token"]), claims_of(tokens["refresh_token"])
    assert (access["type"], refresh["type"]) == ("access", "refresh")
    assert access["sub"] == refresh["sub"] == "1"
    assert access["exp"] - access["iat"] == 15 * 60
    assert refresh["exp"] - refresh["iat"] == 30 * 24 * 3600
    assert {"fresh", "iat", "jti", "nbf"} <= set(access)
    assert access["sessao"] == refresh["sessao"]
    assert access["jti"] != refresh["jti"]


FORGERIES: dict[str, Callable[[dict[str, Any]], str]] = {
    "expired": lambda claims: sign(claims | {"exp": datetime.now(UTC) - timedelta(seconds=1)}),
    "not valid yet": lambda claims: sign(claims | {"nbf": datetime.now(UTC) + timedelta(hours=1)}),
    "another secret": lambda claims: jwt.encode(claims, "x" * 40, algorithm="HS256"),
    "another algorithm": lambda claims: jwt.encode(claims, SECRET * 2, algorithm="HS512"),
    "no algorithm": unsigned,
    "a type of its own": lambda claims: sign(claims | {"type": "admin"}),
    "no login": lambda claims: sign(without(claims, "sessao")),
    "an empty login": lambda claims: sign(claims | {"sessao": ""}),
    "a login that is a list": lambda claims: sign(claims | {"sessao": [claims["sessao"]]}),
    "another login": lambda claims: sign(claims | {"sessao": "0" * 32}),
    "another user": lambda claims: sign(claims | {"sub": "2"}),
    "a user that is no number": lambda claims: sign(claims | {"sub": "admin"}),
    "a user that is an int": lambda claims: sign(claims | {"sub": 1}),
    "a huge user": lambda claims: sign(claims | {"sub": "9" * 5_000}),
    "no user": lambda claims: sign(without(claims, "sub")),
}


def sign(claims: dict[str, Any]) -> str:
    return jwt.encode(claims, SECRET, algorithm="HS256")


@pytest.mark.parametrize("forgery", FORGERIES)
@pytest.mark.parametrize(("kind", "path"), [("access_token", RUNS), ("refresh_token", REFRESH)])
def test_a_forged_token_is_401(reader: FlaskClient, forgery: str, kind: str, path: str) -> None:
    claims = claims_of(log_in(reader)[kind])
    method = "GET" if path == RUNS else "POST"
    assert reader.open(path, method=method, headers=bearer(sign(claims))).status_code == 200
    response = reader.open(path, method=method, headers=bearer(FORGERIES[forgery](claims)))
    assert problem_of(response, 401)["error_type"] == "unauthorized_access"
    assert response.headers["WWW-Authenticate"].startswith("Bearer")


@pytest.mark.parametrize(
    "header",
    [
        "Bearer",
        "Bearer ",
        "Bearer x",
        "Bearer a.b.c",
        "Bearer ..",
        "Bearer a b",
        "Basic YTpi",
        "x",
        "",
        "Bearer é",
    ],
)
def test_garbage_for_a_token_is_401(reader: FlaskClient, header: str) -> None:
    problem_of(reader.get(RUNS, headers={"Authorization": header}), 401)


def test_a_token_is_taken_from_its_header_only(client: FlaskClient) -> None:
    token = log_in(client)["access_token"]
    problem_of(client.get(f"{RUNS}?jwt={token}&access_token={token}"), 401)
    client.set_cookie("access_token_cookie", token)
    problem_of(client.get(RUNS), 401)


def test_each_kind_of_token_is_refused_in_the_others_place(client: FlaskClient) -> None:
    tokens = log_in(client)
    for response in (
        client.get(RUNS, headers=bearer(tokens["refresh_token"])),
        client.post(REFRESH, headers=bearer(tokens["access_token"])),
    ):
        assert "Tipo de token errado" in problem_of(response, 401)["detail"]


def test_an_expired_token_is_told_apart(client: FlaskClient) -> None:
    claims = claims_of(log_in(client)["access_token"])
    response = client.get(RUNS, headers=bearer(FORGERIES["expired"](claims)))
    assert "expirado" in problem_of(response, 401)["detail"]


def test_a_refresh_token_is_traded_for_new_ones(client: FlaskClient) -> None:
    tokens = log_in(client)
    response = client.post(REFRESH, headers=bearer(tokens["refresh_token"]))
    traded = response.get_json()
    assert response.headers["Cache-Control"] == "no-store"
    assert traded["refresh_token"] != tokens["refresh_token"]
    assert client.get(RUNS, headers=bearer(traded["access_token"])).status_code == 200
    assert client.post(REFRESH, headers=bearer(traded["refresh_token"])).status_code == 200


def test_a_reused_refresh_token_ends_the_whole_login(client: FlaskClient) -> None:
    other = log_in(client)
    tokens = log_in(client)
    traded = client.post(REFRESH, headers=bearer(tokens["refresh_token"])).get_json()
    reused = client.post(REFRESH, headers=bearer(tokens["refresh_token"]))
    assert "já foi usado" in problem_of(reused, 401)["detail"]
    for access in (tokens["access_token"], traded["access_token"]):
        problem_of(client.get(RUNS, headers=bearer(access)), 401)
    problem_of(client.post(REFRESH, headers=bearer(traded["refresh_token"])), 401)
    assert client.get(RUNS, headers=bearer(other["access_token"])).status_code == 200


@pytest.mark.parametrize("kind", ["access_token", "refresh_token"])
def test_a_logout_with_either_token_ends_both(client: FlaskClient, kind: str) -> None:
    other, tokens = log_in(client), log_in(client)
    response = client.post(LOGOUT, headers=bearer(tokens[kind]))
    assert (response.status_code, response.data) == (204, b"")
    problem_of(client.get(RUNS, headers=bearer(tokens["access_token"])), 401)
    problem_of(client.post(REFRESH, headers=bearer(tokens["refresh_token"])), 401)
    problem_of(client.post(LOGOUT, headers=bearer(tokens[kind])), 401)
    assert client.get(RUNS, headers=bearer(other["access_token"])).status_code == 200


def test_a_logout_holds_in_every_process_of_the_shop(make_app: Callable[..., Flask]) -> None:
    here, there = make_app().test_client(), make_app().test_client()
    tokens = log_in(here)
    assert there.get(RUNS, headers=bearer(tokens["access_token"])).status_code == 200
    assert there.post(LOGOUT, headers=bearer(tokens["access_token"])).status_code == 204
    problem_of(here.get(RUNS, headers=bearer(tokens["access_token"])), 401)


def test_a_login_that_has_expired_in_the_database_is_over(client: FlaskClient, shop: Shop) -> None:
    tokens = log_in(client)
    with shop.database.writing() as session:
        session.execute(update(LoginRow).values(expires_at=datetime.now(UTC) - timedelta(seconds=1)))
    problem_of(client.get(RUNS, headers=bearer(tokens["access_token"])), 401)


def test_only_the_newest_logins_of_a_user_are_kept(client: FlaskClient) -> None:
    first = log_in(client)
    for _ in range(49):
        log_in(client)
    assert client.get(RUNS, headers=bearer(first["access_token"])).status_code == 200
    log_in(client)
    problem_of(client.get(RUNS, headers=bearer(first["access_token"])), 401)
