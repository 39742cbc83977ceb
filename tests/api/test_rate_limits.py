from __future__ import annotations

import re
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select

from app.services.passwords import Passwords
from app.shop import Shop
from app.storage.models import OrderRow
from tests.api.conftest import SIX_BOOKS, publish
from tests.conftest import ADMIN
from tests.support.checks import problem_of
from tests.support.orders import API_KEY, order_for

LOGIN = "/api/v1/auth/login"
PASSWORD = "/api/v1/auth/password"
BOOKS = "/api/v1/books"
PREDICTIONS = "/api/v1/ml/predictions"
MakeApp = Callable[..., Flask]


def at(address: str) -> dict[str, Any]:
    return {"environ_overrides": {"REMOTE_ADDR": address}}


def orders_of(app: Flask) -> int:
    shop: Shop = app.extensions["shop"]
    with shop.database.reading() as session:
        return session.scalars(select(func.count()).select_from(OrderRow)).one()


def log_in(
    client: FlaskClient, address: str = "10.0.0.1", username: str = "admin", password: str = "x"
) -> int:
    body = {"username": username, "password": password}
    return client.post(LOGIN, json=body, **at(address)).status_code


def test_a_write_beyond_the_limit_is_refused_and_does_nothing(make_app: MakeApp) -> None:
    app = make_app(writes_per_minute=3)
    publish(app, SIX_BOOKS)
    client = app.test_client()
    responses = [client.post("/orders", json=order_for((0, 1)), headers=API_KEY) for _ in range(5)]
    assert [response.status_code for response in responses] == [201, 201, 201, 429, 429]
    assert problem_of(responses[3], 429)["error_type"] == "rate_limited"
    assert 1 <= int(responses[3].headers["Retry-After"]) <= 60
    assert orders_of(app) == 3


def test_all_kinds_of_writes_count_together_and_reads_do_not(make_app: MakeApp) -> None:
    client = make_app(writes_per_minute=3).test_client()
    assert log_in(client) == 401
    assert client.put("/orders/none/status", json={}, **at("10.0.0.1")).status_code == 401
    for _ in range(5):
        assert client.get(BOOKS, **at("10.0.0.1")).status_code == 200
    assert client.post(PREDICTIONS, json={}, **at("10.0.0.1")).status_code == 400
    problem_of(client.post("/api/v1/scraping/trigger", **at("10.0.0.1")), 429)
    problem_of(client.patch("/orders/none", json={}, **at("10.0.0.1")), 429)
    assert client.get(BOOKS, **at("10.0.0.1")).status_code == 200


def test_each_address_has_its_own_writes_and_who_has_the_key_is_apart_from_its_neighbours(
    make_app: MakeApp,
) -> None:
    client = make_app(writes_per_minute=1).test_client()

    def status(address: str, key: str = "") -> int:
        headers = {"X-API-Key": key}
        return client.post("/orders", json={}, headers=headers, **at(address)).status_code

    assert [status("10.0.0.1"), status("10.0.0.1", "wrong"), status("10.0.0.1", "another")] == [401, 429, 429]
    assert [status("10.0.0.1", API_KEY["X-API-Key"]) for _ in range(2)] == [400, 429]
    assert [status("10.0.0.2"), status("2001:db8::1"), status("2001:db8::2")] == [401, 401, 429]


def test_responses_say_what_remains_of_which_limit(make_app: MakeApp) -> None:
    client = make_app(writes_per_minute=4, runs_per_minute=2).test_client()
    refused = client.post("/orders", json={})
    assert re.fullmatch(r'"escritas";r=3;t=(60|59)', refused.headers["RateLimit"])
    assert refused.headers["RateLimit-Policy"] == '"escritas";q=4;w=60'
    started = client.post("/api/v1/scraping/trigger")
    assert re.fullmatch(r'"escritas";r=2;t=\d+, "execucoes";r=1;t=\d+', started.headers["RateLimit"])
    assert started.headers["RateLimit-Policy"] == '"escritas";q=4;w=60, "execucoes";q=2;w=60'
    client.post("/api/v1/ml/train")
    spent = client.post("/api/v1/ml/train")
    problem_of(spent, 429)
    assert spent.headers["RateLimit-Policy"] == '"execucoes";q=2;w=60'
    assert re.fullmatch(r'"execucoes";r=0;t=\d+', spent.headers["RateLimit"])


def test_a_limit_of_zero_is_none(make_app: MakeApp) -> None:
    client = make_app(writes_per_minute=0, runs_per_minute=0).test_client()
    responses = [client.post("/api/v1/scraping/trigger") for _ in range(40)]
    assert {response.status_code for response in responses} == {401}
    assert "RateLimit" not in responses[0].headers


def test_reads_are_unlimited_unless_a_setting_limits_them(make_app: MakeApp) -> None:
    client = make_app(writes_per_minute=1).test_client()
    responses = [client.get(BOOKS) for _ in range(5)]
    assert {response.status_code for response in responses} == {200}
    assert "RateLimit" not in responses[0].headers


def test_reads_count_whether_the_cache_or_a_view_answers_them(make_app: MakeApp) -> None:
    client = make_app(reads_per_minute=5).test_client()
    responses = [client.get(BOOKS) for _ in range(3)]
    responses += [client.head(BOOKS), client.get("/orders/none")]
    assert [response.status_code for response in responses] == [200, 200, 200, 200, 404]
    assert [response.headers["RateLimit"][:14] for response in responses] == [
        f'"leituras";r={left}' for left in (4, 3, 2, 1, 0)
    ]
    for path in (BOOKS, "/api/v1/categories", "/orders/none"):
        problem_of(client.get(path), 429)
    assert client.head(BOOKS).status_code == 429
    assert client.get("/health").status_code == client.get("/metrics").status_code == 200
    assert client.get(BOOKS, **at("10.0.0.2")).status_code == 200


def test_who_has_the_key_reads_apart_from_its_neighbours_also_from_the_cache(make_app: MakeApp) -> None:
    client = make_app(reads_per_minute=2).test_client()
    answers = [client.get(BOOKS, headers=API_KEY) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert [client.get(BOOKS).status_code for _ in range(3)] == [200, 200, 429]
    wrong = {"X-API-Key": "wrong"}
    assert client.get(BOOKS, headers=wrong).status_code == 429


def test_the_document_names_429_for_what_is_limited_only(make_app: MakeApp) -> None:
    def limited(**settings: int) -> set[str]:
        document = make_app(**settings).test_client().get("/apispec_1.json").get_json()
        return {
            method
            for path, operations in document["paths"].items()
            for method, operation in operations.items()
            if "429" in operation["responses"] and path not in (LOGIN, PASSWORD, "/api/v1/logs")
        }

    assert limited() == {"post", "put", "patch", "delete"}
    assert limited(reads_per_minute=1) == {"get", "post", "put", "patch", "delete"}
    assert limited(writes_per_minute=0, runs_per_minute=0) == set()


def test_the_document_describes_the_headers(client: FlaskClient) -> None:
    document = client.get("/apispec_1.json").get_json()
    order = document["paths"]["/orders"]["post"]["responses"]
    assert {"RateLimit", "RateLimit-Policy"} <= set(order["201"]["headers"])
    refused = document["components"]["responses"]["Erro429"]
    assert {"Retry-After", "RateLimit", "RateLimit-Policy"} <= set(refused["headers"])


def test_simultaneous_wrong_passwords_are_checked_no_more_often_than_the_limit(make_app: MakeApp) -> None:
    app = make_app(login_failures_per_minute=5)
    with ThreadPoolExecutor(16) as pool:
        statuses = list(pool.map(lambda _: log_in(app.test_client()), range(16)))
    assert sorted(statuses) == [401] * 5 + [429] * 11


def test_one_account_is_guessed_at_from_many_addresses_only_so_often(make_app: MakeApp) -> None:
    client = make_app(login_failures_per_account=10).test_client()
    statuses = [log_in(client, f"10.0.1.{number}") for number in range(20)]
    assert statuses == [401] * 10 + [429] * 10
    assert log_in(client, "10.0.1.200", "another") == 401


def test_an_owner_still_logs_in_where_they_did_before_while_others_guess(make_app: MakeApp) -> None:
    client = make_app(login_failures_per_account=3, login_failures_per_minute=2).test_client()
    assert log_in(client, "10.0.0.7", "admin", ADMIN["password"]) == 200
    assert [log_in(client, f"10.0.1.{number}") for number in range(4)] == [401, 401, 401, 429]
    assert log_in(client, "10.0.0.7", "admin", ADMIN["password"]) == 200
    assert [log_in(client, "10.0.0.7") for _ in range(3)] == [401, 401, 429]


def test_other_spellings_of_a_name_are_no_more_guesses(make_app: MakeApp) -> None:
    client = make_app(login_failures_per_minute=3).test_client()
    names = ("josé", "jose\u0301", "JOSÉ", "José")
    assert [log_in(client, username=name) for name in names] == [401, 401, 401, 429]


class SlowPasswords:
    """Takes the place of `Passwords.matches`: each check waits until the test ends it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.begun = threading.Semaphore(0)
        self.may_end = threading.Event()
        self.at_once = self.most_at_once = 0
        self._lock = threading.Lock()
        monkeypatch.setattr(Passwords, "matches", lambda *_: self._check())

    def _check(self) -> bool:
        with self._lock:
            self.at_once += 1
            self.most_at_once = max(self.most_at_once, self.at_once)
        self.begun.release()
        self.may_end.wait(10)
        with self._lock:
            self.at_once -= 1
        return False


def test_logins_check_few_passwords_at_once_and_leave_threads_for_others(
    make_app: MakeApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    passwords = SlowPasswords(monkeypatch)
    app = make_app(web_threads=4, logins_at_once=2)
    with ThreadPoolExecutor(2) as pool:
        logins = [pool.submit(log_in, app.test_client(), f"10.0.0.{number}") for number in range(2)]
        for _ in logins:
            assert passwords.begun.acquire(timeout=10)
        response = app.test_client().post(LOGIN, json=ADMIN)
        assert problem_of(response, 503)["error_type"] == "service_unavailable"
        assert response.headers["Retry-After"] == "1"
        assert app.test_client().get(BOOKS).status_code == 200
        passwords.may_end.set()
        assert [login.result() for login in logins] == [401, 401]


def test_a_login_waits_for_its_turn_to_check(make_app: MakeApp, monkeypatch: pytest.MonkeyPatch) -> None:
    passwords = SlowPasswords(monkeypatch)
    passwords.may_end.set()
    app = make_app(web_threads=16, logins_at_once=1)
    with ThreadPoolExecutor(8) as pool:
        logins = pool.map(lambda number: log_in(app.test_client(), f"10.0.0.{number}"), range(8))
        assert set(logins) == {401}
    assert passwords.most_at_once == 1


def test_a_login_that_waits_too_long_is_refused(make_app: MakeApp, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.web.rate_limits._LOGIN_WAIT_S", 0.01)
    passwords = SlowPasswords(monkeypatch)
    app = make_app(web_threads=16)
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(log_in, app.test_client(), "10.0.0.1")
        assert passwords.begun.acquire(timeout=10)
        assert log_in(app.test_client(), "10.0.0.2") == 503
        passwords.may_end.set()
        assert first.result() == 401
