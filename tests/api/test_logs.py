from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app.observability.logs.files import log_path
from app.shop import Shop
from tests.api.conftest import open_shop
from tests.conftest import ADMIN
from tests.support.checks import fields_of, problem_of
from tests.support.databases import ReadyShop
from tests.support.log_lines import log, log_written, numbers

LOGS = "/api/v1/logs"
NDJSON = "application/x-ndjson"


@pytest.fixture
def logged(shop: Shop) -> Iterator[None]:
    """Make the test's own shop write its log."""
    with log_written(shop):
        yield


@pytest.fixture(scope="module")
def logged_reader(ready_shop: ReadyShop, tmp_path_factory: pytest.TempPathFactory) -> Iterator[FlaskClient]:
    """A client of a shop that writes its log, which tests share."""
    folder = tmp_path_factory.mktemp("logged")
    with open_shop(ready_shop, folder / "data") as app, log_written(app.extensions["shop"]):
        yield app.test_client()


@pytest.fixture(scope="module")
def three_lines(ready_shop: ReadyShop, tmp_path_factory: pytest.TempPathFactory) -> Iterator[FlaskClient]:
    """A client of a shop with three lines in its log, only for requests that change nothing."""
    with open_shop(ready_shop, tmp_path_factory.mktemp("three") / "data") as app:
        shop: Shop = app.extensions["shop"]
        log(shop, 0)
        log(shop, 1, levelname="ERROR", status=500, exception="ValueError: maria")
        log(shop, 2, route="/health", user=7)
        yield app.test_client()


def lines_of(response: TestResponse) -> list[dict[str, Any]]:
    assert response.status_code == 200, response.text
    assert response.headers["Cache-Control"] == "no-store"
    lines: list[dict[str, Any]] = response.get_json()
    return lines


def ids(lines: list[dict[str, Any]]) -> list[int]:
    return [int(line["request_id"], 16) for line in lines]


def next_of(response: TestResponse) -> str:
    link = response.headers["Link"]
    assert link.endswith('>; rel="next"')
    return link[1 : link.index(">")]


def test_a_shop_that_has_written_nothing_answers_an_empty_array(client: FlaskClient) -> None:
    response = client.get(LOGS)
    assert lines_of(response) == []
    assert response.headers["X-Log-Scanned-Bytes"] == "0"
    assert "Link" not in response.headers


def test_a_request_is_in_the_log_under_the_keys_of_the_published_log(logged_reader: FlaskClient) -> None:
    response = logged_reader.get("/api/v1/books/0?token=x", headers={"X-Request-ID": "r-1"})
    (line,) = lines_of(logged_reader.get(f"{LOGS}?request_id=r-1"))
    assert datetime.fromisoformat(line["timestamp"]).tzinfo == UTC
    assert 0 <= line["duration"] < 60, "seconds"
    assert list(line.items()) == [
        ("timestamp", line["timestamp"]),
        ("levelname", "INFO"),
        ("name", "app.web.middleware"),
        ("message", "request"),
        ("remote_addr", "127.0.0.1"),
        ("method", "GET"),
        ("path", "/api/v1/books/0"),
        ("status", 400),
        ("duration", line["duration"]),
        ("user", None),
        ("request_id", "r-1"),
        ("route", "/api/v1/books/<int:book_idx>"),
        ("bytes", len(response.data)),
    ]


def test_the_user_of_a_token_is_in_the_log_also_where_the_role_is_not_enough(
    logged: None, client: FlaskClient, as_operator: dict[str, str]
) -> None:
    client.get("/api/v1/simulation", headers=as_operator)
    (line,) = lines_of(client.get(f"{LOGS}?status=403"))
    assert isinstance(line["user"], int)
    assert lines_of(client.get(f"{LOGS}?user={line['user']}&status=4xx")) == [line]


@pytest.mark.parametrize(
    ("path", "route", "logged_path"),
    [
        ("/nowhere", "unmatched", "/*"),
        ("/api/v1/books/hunter2", "unmatched", "/api/v1/books/*"),
        ("/api/v1/books/4111111111111111", "/api/v1/books/<int:book_idx>", "/api/v1/books/*"),
        ("/api/v1/books/88888", "/api/v1/books/<int:book_idx>", "/api/v1/books/88888"),
        ("/orders/hunter2", "/orders/<order_id>", "/orders/*"),
        (
            "/orders/ORDER-7Q3EXAMPLEEXAMPLEEXAMPLE7Q",
            "/orders/<order_id>",
            "/orders/ORDER-7Q3EXA…",
        ),
        ("/" + "x/" * 500, "unmatched", "/*" * 10),
        ("/static/hunter2", "/static/<path:filename>", "/static/*"),
    ],
)
def test_a_path_is_shown_where_it_is_the_shops_own(
    logged_reader: FlaskClient, path: str, route: str, logged_path: str
) -> None:
    request_id = logged_reader.get(path).headers["X-Request-ID"]
    (line,) = lines_of(logged_reader.get(f"{LOGS}?request_id={request_id}"))
    assert (line["route"], line["path"], line["status"]) == (route, logged_path, 404)


def test_an_unknown_method_is_no_text_of_the_log(logged_reader: FlaskClient) -> None:
    request_id = logged_reader.open("/health", method="HUNTER2").headers["X-Request-ID"]
    (line,) = lines_of(logged_reader.get(f"{LOGS}?request_id={request_id}"))
    assert line["method"] == "other"


def test_a_spoofed_address_is_no_text_of_the_log(
    make_app: Callable[..., Flask], log_lines: Callable[[], list[dict[str, Any]]]
) -> None:
    client = make_app(trusted_proxies=1).test_client()
    client.get("/", headers={"X-Forwarded-For": "hunter2"})
    client.get("/", headers={"X-Forwarded-For": "fe80::1%hunter2"})
    client.get("/", headers={"X-Forwarded-For": "192.0.2.7:40001"})
    assert [line["remote_addr"] for line in log_lines()] == [None, "fe80::1", "192.0.2.7"]


def test_without_parameters_the_last_hundred_come_newest_last(client: FlaskClient, shop: Shop) -> None:
    log(shop, *range(150))
    assert ids(lines_of(client.get(LOGS))) == list(range(50, 150))


def test_the_links_lead_through_the_whole_log_with_their_filters(client: FlaskClient, shop: Shop) -> None:
    log(shop, *range(95))
    log(shop, *range(95, 100), status=404)
    log(shop, *range(100, 130))
    response = client.get(f"{LOGS}?limit=40&status=2xx")
    pages = [ids(lines_of(response))]
    while "Link" in response.headers:
        response = client.get(next_of(response))
        pages.append(ids(lines_of(response)))
    assert [number for page in reversed(pages) for number in page] == [*range(95), *range(100, 130)]
    assert [len(page) for page in pages] == [40, 40, 40, 5]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("levelname=ERROR", [1]),
        ("status=500", [1]),
        ("status=5xx", [1]),
        (f"route={quote('/health')}", [2]),
        ("user=7", [2]),
        (f"request_id={0:032x}", [0]),
        ("text=books/0", [0]),
        ("text=maria", [1]),
        ("since=2026-11-22T10:00:01Z", [1, 2]),
        ("until=2026-11-22T10:00:01%2B00:00", [0]),
        ("since=2026-11-22T10:00:01Z&until=2026-11-22T10:00:02Z", [1]),
        ("since=2026-11-22T10:00:01Z&user=7&status=2xx&levelname=INFO", [2]),
        ("user=7&status=4xx", []),
    ],
)
def test_filters_combine(three_lines: FlaskClient, query: str, expected: list[int]) -> None:
    assert ids(lines_of(three_lines.get(f"{LOGS}?{query}"))) == expected


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("limit=0", "limit"),
        ("limit=1001", "limit"),
        ("limit=x", "limit"),
        ("levelname=info", "levelname"),
        ("status=600", "status"),
        ("status=4x", "status"),
        ("status=404%0A", "status"),
        ("user=-1", "user"),
        ("since=yesterday", "since"),
        ("until=1", "until"),
        ("cursor=x", "cursor"),
        ("cursor=", "cursor"),
        ("cursor=MS0wMDAwMDAwMDAwMDAwMDAwOjA", "cursor"),
        ("text=", "text"),
        ("format=xml", "format"),
        ("tail=true", "tail"),
        ("tail=yes", "tail"),
        ("levelname=INFO&levelname=ERROR", "levelname"),
    ],
)
def test_a_wrong_parameter_is_named(reader: FlaskClient, query: str, field: str) -> None:
    assert fields_of(reader.get(f"{LOGS}?{query}")) == {field}


def test_a_cursor_whose_file_is_gone_is_named(client: FlaskClient, shop: Shop) -> None:
    log(shop, *range(10))
    older = next_of(client.get(f"{LOGS}?limit=5"))
    log_path(shop.settings.data_dir).unlink()
    log(shop, *range(10, 20))
    assert fields_of(client.get(older)) == {"cursor"}


@pytest.mark.parametrize(("query", "headers"), [("?format=ndjson", {}), ("", {"Accept": NDJSON})])
def test_ndjson_has_a_record_a_line_and_pages_too(
    client: FlaskClient, shop: Shop, query: str, headers: dict[str, str]
) -> None:
    log(shop, *range(150))
    response = client.get(f"{LOGS}{query}", headers=headers)
    assert response.mimetype == NDJSON
    assert numbers(response.data.splitlines()) == list(range(50, 150))
    assert "Link" in response.headers


def test_an_explicit_format_wins_over_the_header(reader: FlaskClient) -> None:
    assert reader.get(f"{LOGS}?format=json", headers={"Accept": NDJSON}).mimetype == "application/json"


def test_a_log_that_cannot_be_read_is_503(client: FlaskClient, shop: Shop) -> None:
    log_path(shop.settings.data_dir).mkdir(parents=True)
    problem_of(client.get(LOGS), 503)


def test_in_production_only_operators_read_the_log(
    make_app: Callable[..., Flask], as_operator: dict[str, str]
) -> None:
    client = make_app(app_env="production").test_client()
    problem_of(client.get(LOGS), 401)
    problem_of(client.get(LOGS, headers={"Authorization": "Bearer x"}), 401)
    tokens = client.post("/api/v1/auth/login", json=ADMIN).get_json()
    refresh = {"Authorization": f"Bearer {tokens['refresh_token']}"}
    problem_of(client.get(LOGS, headers=refresh), 401)
    assert client.get(LOGS, headers=as_operator).status_code == 200
    assert client.get(LOGS, headers={"Authorization": f"Bearer {tokens['access_token']}"}).status_code == 200


@pytest.mark.parametrize(("env", "public"), [("production", True), ("development", False)])
def test_the_setting_decides_over_the_environment(
    make_app: Callable[..., Flask], env: str, public: bool
) -> None:
    client = make_app(app_env=env, logs_public_setting=public).test_client()
    assert client.get(LOGS).status_code == (200 if public else 401)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("since=0001-01-01", [0, 1, 2]),
        ("since=0001-01-01T00:00:00%2B14:00&until=9999-12-31T23:59:59-12:00", [0, 1, 2]),
        ("until=9999-12-31", [0, 1, 2]),
        ("since=9999-12-31", []),
        ("until=0001-01-01", []),
        ("since=2026-01-01t00:00:00z", [0, 1, 2]),
    ],
)
def test_the_log_can_be_asked_for_any_time(three_lines: FlaskClient, query: str, expected: list[int]) -> None:
    assert ids(lines_of(three_lines.get(f"{LOGS}?{query}"))) == expected
