"""The dashboard logs in as an operator: once, again when its token no longer serves, and not in a loop."""

from __future__ import annotations

import pytest
import streamlit as st

from dashboards.client.auth import LOGIN, REFRESH, RETRY_DELAY_S, LoginRejected, LoginSession
from dashboards.client.http_client import HttpClient, HttpStatusError
from tests.support.dashboards.fake_api import FakeApi
from tests.support.dashboards.pages import figures, open_page, words

LOGS = "/api/v1/logs"


def tokens(fake: FakeApi, name: str) -> tuple[int, str]:
    return fake.as_json({"access_token": name, "refresh_token": f"refresh-{name}"})


@pytest.fixture
def closed(fake_api: FakeApi) -> FakeApi:
    """Who logs in gets the token `first`, and by it `second`, `third`."""
    fake_api.replies[LOGIN] = tokens(fake_api, "first")
    fake_api.replies[REFRESH] = tokens(fake_api, "second")
    fake_api.tokens = {LOGS: {"first"}, REFRESH: {"refresh-first"}}
    return fake_api


def operator(fake: FakeApi, clock: list[float] | None = None) -> HttpClient:
    now = clock or [0.0]
    plain = HttpClient("A API", fake.url)
    return HttpClient("A API", fake.url, LoginSession(plain, "ana", "segredo", clock=lambda: now[0]))


def test_one_login_serves_many_questions(closed: FakeApi) -> None:
    server = operator(closed)
    for _ in range(3):
        server.get(LOGS)
    assert closed.sent[LOGIN] == [{"username": "ana", "password": "segredo"}]


def test_an_expired_token_is_renewed_by_its_refresh_token(closed: FakeApi) -> None:
    server = operator(closed)
    server.get(LOGS)
    closed.tokens[LOGS] = {"second"}
    server.get(LOGS)
    assert (len(closed.asked[LOGIN]), len(closed.asked[REFRESH])) == (1, 1)


def test_where_the_session_is_over_it_logs_in_again(closed: FakeApi) -> None:
    server = operator(closed)
    server.get(LOGS)
    closed.tokens = {LOGS: {"third"}, REFRESH: set()}
    closed.replies[LOGIN] = tokens(closed, "third")
    server.get(LOGS)
    assert len(closed.asked[LOGIN]) == 2


def test_a_token_that_serves_nowhere_ends_the_try(closed: FakeApi) -> None:
    closed.tokens[LOGS] = set()
    with pytest.raises(HttpStatusError):
        operator(closed).get(LOGS)
    assert len(closed.asked[LOGS]) == 2


def test_a_wrong_password_is_not_tried_again_at_once(closed: FakeApi) -> None:
    closed.replies[LOGIN] = closed.as_json({"detail": "Usuário ou senha inválidos."}, 401)
    clock = [1_000.0]
    server = operator(closed, clock)
    for _ in range(3):
        with pytest.raises(LoginRejected, match=r"`ana`.*Usuário ou senha inválidos"):
            server.get(LOGS)
    assert len(closed.asked[LOGIN]) == 1
    clock[0] += RETRY_DELAY_S
    closed.replies[LOGIN] = tokens(closed, "first")
    server.get(LOGS)


def test_the_log_page_logs_in_with_the_environments_operator(
    closed: FakeApi, dashboard_of: pytest.MonkeyPatch
) -> None:
    dashboard_of.setenv("API_URL", closed.url)
    assert "API_USER" in words(open_page("logs"))
    dashboard_of.setenv("API_USER", "ana")
    dashboard_of.setenv("API_PASSWORD", "segredo")
    forget()
    assert figures(open_page("logs"))["Registros"] == "30"
    closed.replies[LOGIN] = closed.as_json({"detail": "Usuário ou senha inválidos."}, 401)
    forget()
    assert "A API recusou o login de `ana`" in words(open_page("logs"))


def forget() -> None:
    st.cache_resource.clear()
