"""`flask users`, beside a shop that is running."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.api.test_accounts import RUNS, bearer, log_in
from tests.conftest import ADMIN
from tests.support.checks import problem_of

GOOD = "uma senha boa"
LOGIN = "/api/v1/auth/login"


def users(app: Flask, *arguments: str, typed: str = "") -> tuple[int, str]:
    """Return the exit code and the output of `flask users`."""
    result = app.test_cli_runner().invoke(args=["users", *arguments], input=typed)
    return result.exit_code, result.output


def test_a_user_is_created_with_the_password_that_is_typed(app: Flask, client: FlaskClient) -> None:
    assert users(app, "create", "maria", typed=f"{GOOD}\n") == (
        0,
        "Usuário 'maria' criado, com o papel 'operador'.\n",
    )
    tokens = log_in(client, "maria", GOOD)
    assert client.get(RUNS, headers=bearer(tokens["access_token"])).status_code == 200


def test_an_admin_is_created_where_the_role_says_so(app: Flask, client: FlaskClient) -> None:
    assert users(app, "create", "chefe", "--role", "admin", typed=f"{GOOD}\n")[0] == 0
    header = bearer(log_in(client, "chefe", GOOD)["access_token"])
    assert client.get("/api/v1/simulation", headers=header).status_code == 200


@pytest.mark.parametrize(
    ("username", "password", "told"),
    [
        ("admin", GOOD, "já existe"),
        ("ADMIN", GOOD, "já existe"),
        ("chave-api", GOOD, "reservado"),
        ("maria ", GOOD, "espaços nas pontas"),
        ("m" * 81, GOOD, "de 1 a 80 caracteres"),
        ("maria", "123", "pelo menos 4"),
        ("maria", "", "de 1 a 128 caracteres"),
        ("maria", "x" * 129, "de 1 a 128 caracteres"),
        ("maria", "x\ty", "caracteres de controle"),
    ],
)
def test_a_user_that_the_api_would_refuse_is_refused(
    app: Flask, username: str, password: str, told: str
) -> None:
    code, output = users(app, "create", username, typed=f"{password}\n")
    assert code == 1
    assert told in output


def test_a_reset_replaces_the_password_and_ends_the_logins(app: Flask, client: FlaskClient) -> None:
    tokens = log_in(client, **ADMIN)
    assert users(app, "reset", "admin", typed=f"{GOOD}\n")[0] == 0
    problem_of(client.get(RUNS, headers=bearer(tokens["access_token"])), 401)
    problem_of(client.post("/api/v1/auth/refresh", headers=bearer(tokens["refresh_token"])), 401)
    problem_of(client.post(LOGIN, json=ADMIN), 401)
    log_in(client, "admin", GOOD)


def test_a_disabled_user_is_refused_until_it_is_enabled(app: Flask, client: FlaskClient) -> None:
    tokens = log_in(client, **ADMIN)
    assert users(app, "disable", "admin")[0] == 0
    problem_of(client.get(RUNS, headers=bearer(tokens["access_token"])), 401)
    assert problem_of(client.post(LOGIN, json=ADMIN), 401)["detail"] == "Usuário ou senha inválidos."
    assert users(app, "enable", "admin")[0] == 0
    problem_of(client.get(RUNS, headers=bearer(tokens["access_token"])), 401)
    log_in(client, **ADMIN)


def test_a_logout_ends_all_logins_of_one_user(
    app: Flask, client: FlaskClient, as_operator: dict[str, str]
) -> None:
    assert users(app, "logout", "operadora") == (0, "Sessões encerradas de 'operadora': 1.\n")
    problem_of(client.get(RUNS, headers=as_operator), 401)
    log_in(client, "operadora", "12345")


def test_what_a_command_ends_has_ended_in_every_process(make_app: Callable[..., Flask]) -> None:
    here, there = make_app(), make_app()
    tokens = log_in(there.test_client(), **ADMIN)
    assert there.test_client().get(RUNS, headers=bearer(tokens["access_token"])).status_code == 200
    assert users(here, "logout", "admin")[0] == 0
    problem_of(there.test_client().get(RUNS, headers=bearer(tokens["access_token"])), 401)


def test_the_list_has_a_line_for_each_user(app: Flask, client: FlaskClient) -> None:
    log_in(client, **ADMIN)
    users(app, "create", "zoe", typed=f"{GOOD}\n")
    users(app, "disable", "zoe")
    assert users(app, "list") == (0, "admin\tadmin\t1 sessão\t\nzoe\toperador\t0 sessões\tdesativado\n")


@pytest.mark.parametrize("command", ["reset", "disable", "enable", "logout"])
def test_an_unknown_user_is_refused(app: Flask, command: str) -> None:
    assert users(app, command, "ninguem", typed=f"{GOOD}\n") == (1, "Usuário não encontrado.\n")


@pytest.mark.sqlite_only("PostgreSQL makes no database by itself")
def test_without_a_database_nothing_is_made(make_app: Callable[..., Flask]) -> None:
    app = make_app()
    data_dir = app.extensions["shop"].settings.data_dir
    (data_dir / "livraria.db").unlink()
    assert users(app, "list") == (
        2,
        f"Não há banco de dados em {data_dir}/livraria.db: inicie a loja uma vez.\n",
    )
    assert not (data_dir / "livraria.db").exists()
