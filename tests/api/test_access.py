"""Every route that declares an operation is called by everybody, and admits whom its `access` says."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.routing import Rule

from app.settings import SAMPLE_API_KEY
from app.web.access import Access
from app.web.endpoint import operation, operation_of
from tests.conftest import ADMIN
from tests.support.checks import problem_of

OPERATOR = {"username": "operadora", "password": "12345"}
OPEN = {Access.PUBLIC, Access.LOGS, Access.METRICS}
SIGNED_IN = OPEN | {Access.ANY_TOKEN, Access.ACCESS_TOKEN}
ADMITTED = {
    "anonymous": OPEN,
    "operator": SIGNED_IN | {Access.OPERATOR},
    "admin": SIGNED_IN | {Access.OPERATOR, Access.ADMIN},
    "refresh token": OPEN | {Access.ANY_TOKEN, Access.REFRESH_TOKEN},
    "api key": OPEN | {Access.API_KEY},
    "wrong api key": OPEN,
}


def declared_routes(app: Flask) -> list[tuple[str, str, operation]]:
    """Return method, path and operation of every route."""
    routes = []
    for rule in app.url_map.iter_rules():
        declared = operation_of(app.view_functions[rule.endpoint])
        if declared is not None:
            routes += [
                (method, _path(rule), declared) for method in sorted((rule.methods or set()) - {"OPTIONS"})
            ]
    return routes


def _path(rule: Rule) -> str:
    path = rule.rule.replace("<int:book_idx>", "0").replace("<int:run_id>", "1")
    return path.replace("<order_id>", "ORDER-0").replace("<int:version>", "1")


def header_of(client: FlaskClient, caller: str) -> dict[str, str]:
    """The header of a caller who has just logged in."""
    if caller == "anonymous":
        return {}
    if "api key" in caller:
        return {"X-API-Key": "wrong" if "wrong" in caller else SAMPLE_API_KEY}
    tokens = client.post("/api/v1/auth/login", json=OPERATOR if caller == "operator" else ADMIN).get_json()
    return {"Authorization": f"Bearer {tokens['refresh_token' if 'refresh' in caller else 'access_token']}"}


@pytest.mark.parametrize("caller", ADMITTED)
def test_every_route_admits_whom_it_says(
    client: FlaskClient,
    as_admin: dict[str, str],
    as_operator: dict[str, str],
    trainer_is: Callable[[str], None],
    caller: str,
) -> None:
    trainer_is("exit 1")  # what is admitted need not succeed
    routes = declared_routes(client.application)
    assert len(routes) >= 40
    for method, path, declared in routes:
        response = client.open(path, method=method, headers=header_of(client, caller))
        route = f"{method} {path} as {caller}: {response.status_code}"
        if declared.access in ADMITTED[caller]:
            assert response.status_code not in (401, 403, 500), route
        elif caller == "operator" and declared.access is Access.ADMIN:
            assert response.status_code == 403, route
            if method != "HEAD":
                assert "'admin'" in problem_of(response, 403)["detail"]
        else:
            assert response.status_code == 401, route
            scheme = "ApiKey" if declared.access is Access.API_KEY else "Bearer"
            assert response.headers["WWW-Authenticate"] == f'{scheme} realm="livraria"', route


def test_what_the_contract_protects_is_protected(app: Flask) -> None:
    access = {(method, path): declared.access for method, path, declared in declared_routes(app)}
    assert access[("POST", "/api/v1/auth/newuser")] is Access.ADMIN
    assert access[("POST", "/api/v1/auth/refresh")] is Access.REFRESH_TOKEN
    assert access[("POST", "/api/v1/auth/logout")] is Access.ANY_TOKEN
    assert access[("POST", "/api/v1/auth/password")] is Access.ACCESS_TOKEN
    assert access[("GET", "/metrics")] is Access.METRICS
    assert access[("GET", "/api/v1/logs")] is Access.LOGS
    assert access[("PUT", "/api/v1/simulation")] is Access.ADMIN
    assert access[("POST", "/api/v1/scraping/trigger")] is Access.OPERATOR
    assert access[("POST", "/api/v1/scraping/cancel")] is Access.OPERATOR
    assert access[("POST", "/api/v1/ml/train")] is Access.OPERATOR
    assert access[("GET", "/api/v1/ml/models")] is Access.OPERATOR
    assert access[("POST", "/api/v1/ml/models/1/activate")] is Access.OPERATOR
    public = {path for (_, path), level in access.items() if level is Access.PUBLIC}
    assert public >= {"/", "/health", "/api/v1/books", "/api/v1/scraping/status", "/api/v1/auth/login"}


def test_a_caller_without_permission_learns_nothing_about_the_body(
    client: FlaskClient, as_operator: dict[str, str]
) -> None:
    for body in (b"", b"{", b"[]"):
        problem_of(client.post("/api/v1/auth/newuser", data=body, headers=as_operator), 403)
        problem_of(client.post("/api/v1/auth/newuser", data=body), 401)
