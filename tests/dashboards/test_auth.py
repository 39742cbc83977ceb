"""The dashboard logs in as an operator once, again when its token is rejected, and not in a loop."""

from __future__ import annotations

import pytest
import streamlit as st

from dashboards.client.auth import LOGIN, REFRESH, RETRY_DELAY_S, LoginRejected, LoginSession
from dashboards.client.http_client import HttpClient, HttpStatusError
from tests.support.dashboards.fake_api import FakeApi, Response
from tests.support.dashboards.pages import open_page, page_text, tile_values

LOGS = "/api/v1/logs"


def tokens(fake: FakeApi, name: str) -> Response:
    return fake.as_json({"access_token": name, "refresh_token": f"refresh-{name}"})


@pytest.fixture
def protected_api(fake_api: FakeApi) -> FakeApi:
    """Gives the token `first` for a login, and `second` for its refresh token."""
    fake_api.responses[LOGIN] = tokens(fake_api, "first")
    fake_api.responses[REFRESH] = tokens(fake_api, "second")
    fake_api.tokens = {LOGS: {"first"}, REFRESH: {"refresh-first"}}
    return fake_api


def operator_client(fake: FakeApi, clock: list[float] | None = None) -> HttpClient:
    now = clock or [0.0]
    login = LoginSession(HttpClient("A API", fake.url), "ana", "segredo", clock=lambda: now[0])
    return HttpClient("A API", fake.url, login)


def test_one_login_serves_many_requests(protected_api: FakeApi) -> None:
    client = operator_client(protected_api)
    for _ in range(3):
        client.get(LOGS)
    assert protected_api.bodies[LOGIN] == [{"username": "ana", "password": "segredo"}]


def test_an_expired_token_is_renewed_by_its_refresh_token(protected_api: FakeApi) -> None:
    client = operator_client(protected_api)
    client.get(LOGS)
    protected_api.tokens[LOGS] = {"second"}
    client.get(LOGS)
    assert (len(protected_api.queries[LOGIN]), len(protected_api.queries[REFRESH])) == (1, 1)


def test_an_expired_session_logs_in_again(protected_api: FakeApi) -> None:
    client = operator_client(protected_api)
    client.get(LOGS)
    protected_api.tokens = {LOGS: {"third"}, REFRESH: set()}
    protected_api.responses[LOGIN] = tokens(protected_api, "third")
    client.get(LOGS)
    assert len(protected_api.queries[LOGIN]) == 2


def test_a_rejected_new_token_ends_the_attempt(protected_api: FakeApi) -> None:
    protected_api.tokens[LOGS] = set()
    with pytest.raises(HttpStatusError):
        operator_client(protected_api).get(LOGS)
    assert len(protected_api.queries[LOGS]) == 2


def test_a_wrong_password_is_not_tried_again_at_once(protected_api: FakeApi) -> None:
    protected_api.responses[LOGIN] = protected_api.as_json({"detail": "Usuário ou senha inválidos."}, 401)
    clock = [1_000.0]
    client = operator_client(protected_api, clock)
    for _ in range(3):
        with pytest.raises(LoginRejected, match=r"`ana`.*Usuário ou senha inválidos"):
            client.get(LOGS)
    assert len(protected_api.queries[LOGIN]) == 1
    clock[0] += RETRY_DELAY_S
    protected_api.responses[LOGIN] = tokens(protected_api, "first")
    client.get(LOGS)


def test_the_log_page_logs_in_as_the_operator_of_the_environment(
    protected_api: FakeApi, dashboard_env: pytest.MonkeyPatch
) -> None:
    dashboard_env.setenv("API_URL", protected_api.url)
    assert "API_USER" in page_text(open_page("logs"))
    dashboard_env.setenv("API_USER", "ana")
    dashboard_env.setenv("API_PASSWORD", "segredo")
    st.cache_resource.clear()
    assert tile_values(open_page("logs"))["Registros"] == "30"
    protected_api.responses[LOGIN] = protected_api.as_json({"detail": "Usuário ou senha inválidos."}, 401)
    st.cache_resource.clear()
    assert "A API recusou o login de `ana`" in page_text(open_page("logs"))
