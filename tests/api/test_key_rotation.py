"""Two keys at once while clients move from the old one to the new one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jwt
import pytest
from flask import Flask

from app.start import prepare
from tests.api.test_accounts import LOGOUT, REFRESH, RUNS, bearer, log_in
from tests.conftest import ADMIN
from tests.support.checks import problem_of
from tests.support.shop import SECRET

NEW = "the new secret, of forty bytes as well.."
ROTATED: dict[str, Any] = {"jwt_secret_key": NEW, "jwt_secret_key_previous": SECRET}
DONE: dict[str, Any] = {"jwt_secret_key": NEW}


def test_tokens_of_the_old_key_work_until_it_is_taken_out(make_app: Callable[..., Flask]) -> None:
    tokens = log_in(make_app().test_client(), **ADMIN)
    client = make_app(**ROTATED).test_client()
    assert client.get(RUNS, headers=bearer(tokens["access_token"])).status_code == 200
    client = make_app(**DONE).test_client()
    problem_of(client.get(RUNS, headers=bearer(tokens["access_token"])), 401)
    problem_of(client.post(REFRESH, headers=bearer(tokens["refresh_token"])), 401)


@pytest.mark.parametrize("changes", [ROTATED, {"api_key_previous": "the old key of it"}])
def test_a_start_names_what_should_not_be_forgotten(
    make_app: Callable[..., Flask], log_lines: Callable[[], list[dict[str, Any]]], changes: dict[str, Any]
) -> None:
    prepare(make_app())
    assert "previous_keys_accepted" not in {line["message"] for line in log_lines()}
    prepare(make_app(**changes))
    assert "previous_keys_accepted" in {line["message"] for line in log_lines()}


def test_only_the_new_key_signs(make_app: Callable[..., Flask]) -> None:
    old = log_in(make_app().test_client(), **ADMIN)
    client = make_app(**ROTATED).test_client()
    renewed = client.post(REFRESH, headers=bearer(old["refresh_token"])).get_json()
    for token in (*renewed.values(), log_in(client, **ADMIN)["access_token"]):
        jwt.decode(token, NEW, algorithms=["HS256"])
    # What was renewed in time outlives the old key.
    client = make_app(**DONE).test_client()
    assert client.get(RUNS, headers=bearer(renewed["access_token"])).status_code == 200
    assert client.post(REFRESH, headers=bearer(renewed["refresh_token"])).status_code == 200


def test_replicas_that_restart_one_by_one_accept_each_others_tokens(make_app: Callable[..., Flask]) -> None:
    waiting = make_app(jwt_secret_key=SECRET, jwt_secret_key_previous=NEW).test_client()
    restarted = make_app(**ROTATED).test_client()
    for here, there in ((waiting, restarted), (restarted, waiting)):
        tokens = log_in(here, **ADMIN)
        assert there.get(RUNS, headers=bearer(tokens["access_token"])).status_code == 200


def test_a_logout_holds_for_tokens_of_the_old_key(make_app: Callable[..., Flask]) -> None:
    tokens = log_in(make_app().test_client(), **ADMIN)
    client = make_app(**ROTATED).test_client()
    assert client.post(LOGOUT, headers=bearer(tokens["refresh_token"])).status_code == 204
    problem_of(client.get(RUNS, headers=bearer(tokens["access_token"])), 401)


def test_a_third_key_verifies_nothing(make_app: Callable[..., Flask]) -> None:
    client = make_app(**ROTATED).test_client()
    claims = jwt.decode(log_in(client, **ADMIN)["access_token"], NEW, algorithms=["HS256"])
    forged = jwt.encode(claims, "x" * 40, algorithm="HS256")
    problem_of(client.get(RUNS, headers=bearer(forged)), 401)
    assert client.get(RUNS, headers=bearer(jwt.encode(claims, SECRET, algorithm="HS256"))).status_code == 200


def test_an_expired_token_of_the_old_key_is_expired(make_app: Callable[..., Flask]) -> None:
    client = make_app(**ROTATED).test_client()
    claims = jwt.decode(log_in(client, **ADMIN)["access_token"], NEW, algorithms=["HS256"])
    expired = jwt.encode(claims | {"exp": claims["iat"] - 1}, SECRET, algorithm="HS256")
    assert "expirado" in problem_of(client.get(RUNS, headers=bearer(expired)), 401)["detail"]


@pytest.mark.parametrize(
    ("key", "status"), [("the new key of it", 200), ("the old key of it", 200), ("another", 401), ("", 401)]
)
def test_both_api_keys_are_accepted_at_once(make_app: Callable[..., Flask], key: str, status: int) -> None:
    client = make_app(api_key="the new key of it", api_key_previous="the old key of it").test_client()
    assert client.get("/orders", headers={"X-API-Key": key}).status_code == status


def test_an_empty_key_is_none_where_there_is_no_old_one(make_app: Callable[..., Flask]) -> None:
    problem_of(make_app().test_client().get("/orders", headers={"X-API-Key": ""}), 401)
