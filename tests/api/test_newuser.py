from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.conftest import ADMIN
from tests.support.checks import fields_of, problem_of

NEWUSER = "/api/v1/auth/newuser"


def log_in(client: FlaskClient, username: str, password: str) -> dict[str, str]:
    tokens = client.post("/api/v1/auth/login", json={"username": username, "password": password}).get_json()
    return {"Authorization": f"Bearer {tokens['access_token']}"}


def test_a_new_user_may_log_in(client: FlaskClient, as_admin: dict[str, str]) -> None:
    response = client.post(NEWUSER, json={"username": "admin6", "password": "12345"}, headers=as_admin)
    assert response.status_code == 201
    assert response.get_json() == {"message": "Usuário criado com sucesso!"}
    assert "Usuário".encode() in response.data
    log_in(client, "admin6", "12345")


def test_a_new_user_is_an_operator_unless_said_otherwise(
    client: FlaskClient, as_admin: dict[str, str]
) -> None:
    for username, role in (("one", {}), ("two", {"role": "operador"}), ("three", {"role": "admin"})):
        client.post(NEWUSER, json={"username": username, "password": "12345", **role}, headers=as_admin)
    body = {"username": "four", "password": "12345"}
    problem_of(client.post(NEWUSER, json=body, headers=log_in(client, "one", "12345")), 403)
    problem_of(client.post(NEWUSER, json=body, headers=log_in(client, "two", "12345")), 403)
    assert client.post(NEWUSER, json=body, headers=log_in(client, "three", "12345")).status_code == 201


def test_a_taken_name_is_409_and_its_password_stays(client: FlaskClient, as_admin: dict[str, str]) -> None:
    response = client.post(NEWUSER, json={"username": "admin", "password": "hijacked"}, headers=as_admin)
    assert problem_of(response, 409)["error_type"] == "conflict"
    assert client.post("/api/v1/auth/login", json=ADMIN).status_code == 200


def test_one_name_asked_for_at_once_is_given_once(
    make_app: Callable[..., Flask], client: FlaskClient, as_admin: dict[str, str]
) -> None:
    body = {"username": "twin", "password": "12345"}

    def ask(_number: int) -> int:
        return client.application.test_client().post(NEWUSER, json=body, headers=as_admin).status_code

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(ask, range(4))) == [201, 409, 409, 409]


@pytest.mark.parametrize(
    ("changes", "wrong"),
    [
        ({"password": "123"}, {"password"}),
        ({"password": ""}, {"password"}),
        ({"username": ""}, {"username"}),
        ({"role": "root"}, {"role"}),
        ({"role": "ADMIN"}, {"role"}),
        ({"role": None}, {"role"}),
        ({"role": 1}, {"role"}),
        ({"role": ["admin"]}, {"role"}),
        ({"role": {"admin": 1}}, {"role"}),
        ({"id": 1}, {"id"}),
    ],
)
def test_a_bad_new_user_is_refused(
    client: FlaskClient, as_admin: dict[str, str], changes: dict[str, Any], wrong: set[str]
) -> None:
    body = {"username": "new", "password": "12345"} | changes
    assert fields_of(client.post(NEWUSER, json=body, headers=as_admin)) == wrong


def test_production_asks_for_longer_passwords(make_app: Callable[..., Flask]) -> None:
    client = make_app(app_env="production").test_client()
    as_admin = log_in(client, **ADMIN)
    short = client.post(NEWUSER, json={"username": "new", "password": "1234567"}, headers=as_admin)
    assert fields_of(short) == {"password"}
    assert "8" in short.get_json()["errors"][0]["message"]
    body = {"username": "new", "password": "12345678"}
    assert client.post(NEWUSER, json=body, headers=as_admin).status_code == 201
