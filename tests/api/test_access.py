"""Every route is called with every kind of credentials, and admits what the access table says and nothing else."""

from __future__ import annotations

import json
import re
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app.settings import SAMPLE_API_KEY
from app.web.access import Access
from app.web.endpoint import operation_of
from tests.api.conftest import SIX_BOOKS, publish
from tests.conftest import ADMIN
from tests.support.access_table import ADMITTED, LACKS_THE_ROLE, access_table
from tests.support.checks import problem_of
from tests.support.shop import SECRET

OPERATOR = {"username": "operadora", "password": "12345"}
CREDENTIALS = (
    "nothing",
    "operator",
    "admin",
    "refresh token",
    "API key",
    "API key and operator",
    "API key and a wrong token",
    "wrong API key",
    "empty API key",
    "wrong token",
    "empty token",
    "basic",
    "expired",
    "revoked",
    "disabled operator",
    "unsigned",
    "other key",
    "other algorithm",
    "another user's session",
    "no session",
    "no user",
    "in the query",
    "in a cookie",
)


def routes(app: Flask) -> list[tuple[str, str]]:
    """Return method and route of everything that the application serves."""
    return [
        (method, rule.rule)
        for rule in app.url_map.iter_rules()
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"})
    ]


def path(route: str) -> str:
    """Return an address of the route; every parameter may be a number."""
    return re.sub("<[^>]+>", "0", route)


@pytest.fixture
def guarded(make_app: Callable[..., Flask], trainer_is: Callable[[str], None]) -> FlaskClient:
    """A client of a shop whose logs are not public, with an operator; what is admitted need not succeed."""
    trainer_is("exit 1")
    app = make_app(
        logs_public_setting=False, login_failures_per_minute=1_000, login_failures_per_address=10_000
    )
    publish(app, SIX_BOOKS)
    client = app.test_client()
    client.post("/api/v1/auth/newuser", json=OPERATOR, headers=bearer(log_in(client, ADMIN)["access_token"]))
    return client


def log_in(client: FlaskClient, user: dict[str, str]) -> dict[str, str]:
    tokens: dict[str, str] = client.post("/api/v1/auth/login", json=user).get_json()
    return tokens


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def forged(claims: dict[str, Any], secret: str = SECRET, algorithm: str = "HS256", **changes: Any) -> str:
    """Return a token with other claims, or of another key or algorithm; a claim of None is left out."""
    changed = {name: value for name, value in {**claims, **changes}.items() if value is not None}
    return jwt.encode(changed, secret, algorithm)


def unsigned(claims: dict[str, Any]) -> str:
    parts = ({"alg": "none", "typ": "JWT"}, claims)
    return ".".join(urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts) + "."


def request_with(client: FlaskClient, credentials: str) -> dict[str, Any]:
    """Return what a request with these credentials has beside its method and path, from a login of its own."""
    tokens = log_in(client, OPERATOR if credentials.endswith("operator") else ADMIN)
    token = tokens["access_token"]
    claims = jwt.decode(token, options={"verify_signature": False})
    past = datetime.now(UTC) - timedelta(hours=1)
    if credentials == "revoked":
        client.post("/api/v1/auth/logout", headers=bearer(token))
    if credentials == "disabled operator":
        client.application.extensions["shop"].accounts.disable(OPERATOR["username"])
    if credentials == "in the query":
        return {"query_string": {"access_token": token, "jwt": token, "api_key": SAMPLE_API_KEY}}
    headers = {
        "nothing": {},
        "operator": bearer(token),
        "admin": bearer(token),
        "refresh token": bearer(tokens["refresh_token"]),
        "API key": {"X-API-Key": SAMPLE_API_KEY},
        "API key and operator": {"X-API-Key": SAMPLE_API_KEY, **bearer(token)},
        "API key and a wrong token": {"X-API-Key": SAMPLE_API_KEY, **bearer("x.y.z")},
        "wrong API key": {"X-API-Key": f"{SAMPLE_API_KEY}x"},
        "empty API key": {"X-API-Key": ""},
        "wrong token": bearer("x.y.z"),
        "empty token": {"Authorization": "Bearer "},
        "basic": {"Authorization": "Basic YWRtaW46MTIzNA=="},
        "expired": bearer(forged(claims, exp=past, iat=past, nbf=past)),
        "revoked": bearer(token),
        "disabled operator": bearer(token),
        "unsigned": bearer(unsigned(claims)),
        "other key": bearer(forged(claims, "another secret of forty bytes, in a test")),
        "other algorithm": bearer(forged(claims, SECRET * 2, "HS512")),
        "another user's session": bearer(forged(claims, sub="2")),
        "no session": bearer(forged(claims, sessao=None)),
        "no user": bearer(forged(claims, sub="٣")),
        "in a cookie": {"Cookie": f"access_token_cookie={token}; X-API-Key={SAMPLE_API_KEY}"},
    }[credentials]
    return {"headers": headers}


def expected(access: Access, credentials: str) -> str:
    admitted = ADMITTED[access]
    if admitted is None or credentials in admitted:
        return "admitted"
    return "lacks the role" if credentials in LACKS_THE_ROLE.get(access, ()) else "unknown"


def seen(response: TestResponse) -> str:
    if response.status_code in (401, 403):
        return "unknown" if response.status_code == 401 else "lacks the role"
    return "admitted" if response.status_code < 500 else f"status {response.status_code}"


def test_the_access_table_has_a_line_for_each_route_and_no_other(app: Flask) -> None:
    assert sorted(access_table()) == sorted(routes(app))


def test_each_route_declares_what_the_access_table_says(app: Flask) -> None:
    table = access_table()
    for rule in app.url_map.iter_rules():
        declared = operation_of(app.view_functions[rule.endpoint])
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}:
            access = Access.PUBLIC if declared is None else declared.access
            assert table[method, rule.rule] is access, f"{method} {rule.rule}"


def requests_of_table() -> Iterator[tuple[str, str, Access]]:
    """Yield method, route and access; a GET once more as a HEAD."""
    for (method, route), access in access_table().items():
        yield method, route, access
        if method == "GET":
            yield "HEAD", route, access


@pytest.mark.parametrize("credentials", CREDENTIALS)
def test_every_route_admits_whom_the_access_table_says(guarded: FlaskClient, credentials: str) -> None:
    sent = request_with(guarded, credentials)
    for method, route, access in requests_of_table():
        if access is Access.ANY_TOKEN and expected(access, credentials) == "admitted":
            continue  # it ends the login
        response = guarded.open(path(route), method=method, buffered=True, **sent)
        described = f"{method} {route} with {credentials}: {response.status_code} {response.text[:200]}"
        assert seen(response) == expected(access, credentials), described
        if seen(response) == "unknown":
            assert response.headers["WWW-Authenticate"].endswith(' realm="livraria"'), described
        if access is not Access.PUBLIC:
            assert response.headers["Cache-Control"] == "no-store", described
        if access is Access.REFRESH_TOKEN and expected(access, credentials) == "admitted":
            sent = request_with(guarded, credentials)  # each is of use once


@pytest.mark.parametrize("credentials", ["operator", "admin", "refresh token"])
def test_a_login_can_be_ended_with_each_of_its_tokens(guarded: FlaskClient, credentials: str) -> None:
    sent = request_with(guarded, credentials)
    assert guarded.post("/api/v1/auth/logout", **sent).status_code == 204
    problem_of(guarded.post("/api/v1/auth/logout", **sent), 401)


def test_a_refusal_names_the_role_that_is_missing(client: FlaskClient, as_operator: dict[str, str]) -> None:
    assert "'admin'" in problem_of(client.get("/api/v1/simulation", headers=as_operator), 403)["detail"]


@pytest.mark.parametrize(("route", "scheme"), [("/orders", "ApiKey"), ("/api/v1/simulation", "Bearer")])
def test_a_refusal_names_the_scheme(reader: FlaskClient, route: str, scheme: str) -> None:
    assert reader.get(route).headers["WWW-Authenticate"] == f'{scheme} realm="livraria"'


def test_a_caller_without_permission_learns_nothing_about_the_body(
    client: FlaskClient, as_operator: dict[str, str]
) -> None:
    for body in (b"", b"{", b"[]"):
        problem_of(client.post("/api/v1/auth/newuser", data=body, headers=as_operator), 403)
        problem_of(client.post("/api/v1/auth/newuser", data=body), 401)


def test_an_unknown_name_in_the_query_is_refused_by_name_on_every_route(guarded: FlaskClient) -> None:
    for (method, route), access in access_table().items():
        declared = [
            operation_of(guarded.application.view_functions[rule.endpoint])
            for rule in guarded.application.url_map.iter_rules()
            if rule.rule == route and method in (rule.methods or set())
        ]
        if declared == [None] or access is Access.ANY_TOKEN:
            continue  # pages and files, which read no query
        admitted = ADMITTED[access] or {"nothing"}
        sent = request_with(guarded, sorted(admitted)[0])
        response = guarded.open(path(route), method=method, query_string={"pagina": "1"}, json={}, **sent)
        problems = problem_of(response, 400)["errors"]
        messages = {problem["field"]: problem["message"] for problem in problems}
        assert messages["pagina"].startswith("não é conhecido"), route


@pytest.mark.parametrize(
    ("query", "nearest"),
    [("/api/v1/books?per_pag=1", "per_page"), ("/api/v1/books/search?titul=x", "titulo")],
)
def test_the_nearest_name_is_told(reader: FlaskClient, query: str, nearest: str) -> None:
    (problem,) = problem_of(reader.get(query), 400)["errors"]
    assert problem["message"] == f"não é conhecido; você quis dizer `{nearest}`?"


def test_the_nearest_name_is_told_of_a_body_too(reader: FlaskClient) -> None:
    body = {"custumer_id": "x", "items": [{"produto_id": 0, "quantity": 1}]}
    response = reader.post("/orders", json=body, headers={"X-API-Key": SAMPLE_API_KEY})
    messages = {problem["field"]: problem["message"] for problem in problem_of(response, 400)["errors"]}
    assert messages == {
        "customer_id": "campo obrigatório",
        "custumer_id": "não é conhecido; você quis dizer `customer_id`?",
        "items[0].product_id": "campo obrigatório",
        "items[0].produto_id": "não é conhecido; você quis dizer `product_id`?",
    }
