from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.exc import OperationalError

from app.observability.logs.formatters import ConsoleFormatter
from app.shop import Shop
from tests.support.checks import problem_of

Lines = Callable[[], list[dict[str, Any]]]


@pytest.mark.parametrize(
    "path",
    [
        "/nowhere",
        "/api/v1",
        "/api/v1/books/",
        "/api/v1/nowhere",
        "/static/x.css",
        "/%00",
        "/%FF",
        "/" + "x" * 3_000,
    ],
)
def test_an_unknown_address_is_404_in_the_one_shape(reader: FlaskClient, path: str) -> None:
    problem = problem_of(reader.get(path), 404)
    assert problem["error_type"] == "not_found"
    assert "x" * 100 not in problem["detail"]


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE"])
def test_an_unknown_address_is_404_for_every_method(reader: FlaskClient, method: str) -> None:
    problem_of(reader.open("/nowhere", method=method), 404)


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("DELETE", "/api/v1/books", {"GET", "HEAD", "OPTIONS"}),
        ("POST", "/api/v1/books/0", {"GET", "HEAD", "OPTIONS"}),
        ("PUT", "/health", {"GET", "HEAD", "OPTIONS"}),
        ("GET", "/api/v1/auth/login", {"POST", "OPTIONS"}),
        ("GET", "/api/v1/scraping/trigger", {"POST", "OPTIONS"}),
        ("BREW", "/", {"GET", "HEAD", "OPTIONS"}),
    ],
)
def test_a_wrong_method_is_405_and_says_which_are_right(
    reader: FlaskClient, method: str, path: str, allowed: set[str]
) -> None:
    response = reader.open(path, method=method)
    assert method in problem_of(response, 405)["detail"]
    assert {name.strip() for name in response.headers["Allow"].split(",")} == allowed


@pytest.fixture
def crash(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make every route of the catalogue raise something that no client should read."""

    def raise_secrets() -> None:
        raise ZeroDivisionError("SELECT password FROM usuario; /work/main/app/secret.py")

    monkeypatch.setattr(shop.catalogue, "current", raise_secrets)


@pytest.mark.parametrize("path", ["/api/v1/books", "/api/v1/stats/overview", "/health"])
def test_a_crash_tells_the_client_nothing_and_the_log_everything(
    client: FlaskClient, crash: None, log_lines: Lines, path: str
) -> None:
    response = client.get(path, headers={"X-Request-ID": "crash-1"})
    problem = problem_of(response, 500)
    assert problem["error_type"] == "internal_server_error"
    text = response.get_data(as_text=True) + str(response.headers)
    for secret in ("SELECT", "usuario", "/work", ".py", "Traceback", "ZeroDivisionError", "line "):
        assert secret not in text
    assert problem["request_id"] == "crash-1"
    (line,) = [line for line in log_lines() if line["message"] == "request_crashed"]
    assert line["request_id"] == "crash-1"
    assert line["levelname"] == "ERROR"
    assert "ZeroDivisionError: SELECT password" in line["exception"]
    assert line["path"] == path


def test_a_crash_is_a_500_even_in_testing_mode(app: Flask, client: FlaskClient, crash: None) -> None:
    app.testing = True
    problem_of(client.get("/api/v1/categories"), 500)


def test_a_shop_goes_on_after_a_crash(
    client: FlaskClient, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> None:
        raise ValueError

    with monkeypatch.context() as broken:
        broken.setattr(shop.catalogue, "current", fail)
        assert client.get("/api/v1/books/0").status_code == 500
    assert client.get("/api/v1/books/0").status_code == 200


def test_a_shop_without_its_database_says_so(
    client: FlaskClient, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(**_limits: object) -> None:
        raise OperationalError("SELECT 1", {}, Exception("unable to open /work/data/livraria.db"))

    monkeypatch.setattr(shop.database, "reading", fail)
    for path in ("/health", "/api/v1/health"):
        response = client.get(path)
        assert problem_of(response, 503)["error_type"] == "service_unavailable"
        assert "SELECT" not in response.text
        assert "/work" not in response.text


@pytest.mark.parametrize("offered", ["abc-123", "5f0c6a8e2b7d4c1e9a3f", "a" * 64])
def test_a_sane_request_id_is_used(reader: FlaskClient, offered: str, log_lines: Lines) -> None:
    response = reader.get("/nowhere", headers={"X-Request-ID": offered})
    assert response.headers["X-Request-ID"] == response.get_json()["request_id"] == offered
    assert [line["request_id"] for line in log_lines()] == [offered]


@pytest.mark.parametrize("offered", ["", "x" * 65, "a b", "a;b", "<script>", "ação", '"', "a/b"])
def test_an_insane_request_id_is_replaced(reader: FlaskClient, offered: str) -> None:
    response = reader.get("/nowhere", headers={"X-Request-ID": offered})
    given = response.headers["X-Request-ID"]
    assert given != offered
    assert len(given) == 32
    assert problem_of(response, 404)["request_id"] == given


def test_every_request_has_an_id_of_its_own(reader: FlaskClient) -> None:
    assert len({reader.get("/").headers["X-Request-ID"] for _ in range(5)}) == 5


def test_every_request_is_logged_once_with_its_outcome(reader: FlaskClient, log_lines: Lines) -> None:
    reader.get("/api/v1/books/888?token=secret", headers={"Authorization": "Bearer secret"})
    (line,) = log_lines()
    assert (line["message"], line["method"], line["path"], line["status"]) == (
        "request",
        "GET",
        "/api/v1/books/888",
        400,
    )
    assert line["duration"] >= 0
    assert "secret" not in str(line)


def test_a_path_cannot_forge_a_log_line(reader: FlaskClient, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "app")
    reader.get("/x%0A12:00:00%20INFO%20%20forged")
    lines = [ConsoleFormatter().format(record) for record in caplog.records if record.name.startswith("app")]
    assert len(lines) == 1
    assert "\n" not in lines[0]


@pytest.mark.parametrize("path", ["/", "/nowhere", "/api/v1/books/0", "/apidocs/"])
def test_every_answer_carries_the_browsers_orders(reader: FlaskClient, path: str) -> None:
    headers = reader.get(path).headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert headers["Referrer-Policy"] == "same-origin"
