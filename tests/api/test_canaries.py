"""Secrets put wherever a client can put something are nowhere in the log, the console, an error or the metrics."""

from __future__ import annotations

import io
import json
import logging
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

import pytest
from flask import Flask
from flask.testing import FlaskClient
from marshmallow import Schema, fields, validate
from sqlalchemy import text
from werkzeug.routing import Rule
from werkzeug.test import TestResponse

from app.observability.logs.files import log_path
from app.observability.logs.handlers import configure_logging
from app.services.training_run import BackgroundTraining
from app.shop import Shop
from app.web.endpoint import operation, operation_of
from tests.conftest import ADMIN
from tests.support.databases import ON_POSTGRESQL

PASSWORD = "Kanario-Senha#77!x"
PLAIN_PASSWORD = "Kanario-Senha77x"
"""It may pass for an id, and is too short to look like a key."""
API_KEY = "a-chave-da-empresa-canario"
CARD = "4111111111111111"
HEADERS = (
    "Authorization",
    "X-API-Key",
    "X-Request-ID",
    "Idempotency-Key",
    "If-Match",
    "If-None-Match",
    "User-Agent",
    "Referer",
    "Origin",
    "Cookie",
    "Accept",
    "Accept-Encoding",
    "Accept-Language",
    "Content-Type",
    "Range",
    "Host",
    "X-Forwarded-For",
    "Traceparent",
    "X-Anything",
)
UNDECLARED_PARAMETERS = ("password", "token", "api_key", "access_token", "x")


@dataclass
class Place:
    """A shop, and every way out of it."""

    client: FlaskClient
    shop: Shop
    console: io.StringIO
    canaries: dict[str, str]
    credentials: dict[str, str]
    order_id: str
    errors: list[str] = field(default_factory=list)
    responses: int = 0
    successes: int = 0

    def each_secret(self) -> Iterator[str]:
        """Yield the canaries, and log in anew for each of them, since some requests end a login."""
        for secret in self.canaries.values():
            tokens = self.client.post("/api/v1/auth/login", json=ADMIN).get_json()
            self.credentials["Authorization"] = f"Bearer {tokens['access_token']}"
            yield secret

    def send(self, method: str, path: str, **arguments: Any) -> TestResponse:
        headers = {**self.credentials, **arguments.pop("headers", {})}
        response = self.client.open(path, method=method, headers=headers, buffered=True, **arguments)
        self.responses += 1
        self.successes += response.status_code < 400
        if response.status_code >= 400:
            self.errors.append(response.get_data(as_text=True))
        assert response.status_code != 500 or "simul" in str(arguments), response.text
        return response

    def leaks(self) -> list[str]:
        """Return each canary that got out, and where."""
        self.shop.log_writer.close()
        log = log_path(self.shop.settings.data_dir).read_text()
        assert log.count('"message":"request"') >= self.responses
        assert self.console.getvalue().count('"message":"request"') >= self.responses
        ways_out = {
            "log": log,
            "console": self.console.getvalue(),
            "errors": "\n".join(self.errors),
            "metrics": self.client.get("/metrics").text,
        }
        return [
            f"{name} in {way}: …{text[max(0, text.index(form) - 80) : text.index(form) + 40]}…"
            for way, text in ways_out.items()
            for name, secret in self.canaries.items()
            for form in {secret, quote(secret), json.dumps(secret)[1:-1]}
            if form in text
        ]


@pytest.fixture
def place(make_app: Callable[..., Flask], monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    console = io.StringIO()
    monkeypatch.setattr(sys, "stderr", console)
    monkeypatch.setattr(
        BackgroundTraining, "execute", lambda *_: None
    )  # what it does is not a client's doing
    app = make_app(
        api_key=API_KEY,
        login_failures_per_minute=1_000,
        login_failures_per_address=10_000,
        log_max_bytes=100_000_000,
    )
    app.test_client_class = FlaskClient
    shop: Shop = app.extensions["shop"]
    shop_log = logging.getLogger("app")
    before = shop_log.handlers[:], shop_log.level, shop_log.propagate
    configure_logging("DEBUG", readable=False, writer=shop.log_writer)
    client = app.test_client()
    tokens = client.post("/api/v1/auth/login", json=ADMIN).get_json()
    ordered = client.post(
        "/orders",
        json={"customer_id": "c", "items": [{"product_id": 0, "quantity": 1}]},
        headers={"X-API-Key": API_KEY},
    ).get_json()
    yield Place(
        client,
        shop,
        console,
        canaries={
            "password": PASSWORD,
            "plain password": PLAIN_PASSWORD,
            "access token": tokens["access_token"],
            "refresh token": tokens["refresh_token"],
            "API key": API_KEY,
            "card": CARD,
        },
        credentials={"X-API-Key": API_KEY},
        order_id=ordered["order_id"],
    )
    shop_log.handlers[:], shop_log.level, shop_log.propagate = before[0], before[1], before[2]


def routes(place: Place) -> Iterator[tuple[str, Rule, operation | None]]:
    """Yield every route with each of its methods; the logout comes last, as it ends the token."""
    app = place.client.application
    for rule in sorted(app.url_map.iter_rules(), key=lambda rule: rule.endpoint == "auth.log_out"):
        for method in sorted((rule.methods or set()) - {"OPTIONS"}):
            yield method, rule, operation_of(app.view_functions[rule.endpoint])


def address(place: Place, rule: Rule, secret: str | None = None) -> str:
    """Return the address of a route, with an existing thing or a secret in the place of each parameter."""
    path = rule.rule
    for name, existing in (
        ("book_idx", "0"),
        ("run_id", "1"),
        ("order_id", place.order_id),
        ("version", "1"),
        ("filename", "inicio.css"),
    ):
        for form in (f"<int:{name}>", f"<path:{name}>", f"<{name}>"):
            path = path.replace(form, existing if secret is None else quote(secret))
    if secret is not None:
        while "<" in path:
            path = path[: path.index("<")] + quote(secret) + path[path.index(">") + 1 :]
    assert "<" not in path, f"what to put into {path}?"
    return path


def example(shape: fields.Field[Any]) -> Any:
    """Return a value that `shape` accepts."""
    if isinstance(shape, fields.Nested):
        return {name: example(inner) for name, inner in shape.schema.fields.items()}
    if isinstance(shape, fields.List):
        return [example(shape.inner)]
    if "example" in shape.metadata:
        return shape.metadata["example"]
    choices = [rule.choices for rule in shape.validators if isinstance(rule, validate.OneOf)]
    return next(iter(choices[0])) if choices else 0


def spoilt(value: Any, secret: str) -> Iterator[Any]:
    """Yield `value` with a secret in the place of each of its parts, and of itself."""
    yield secret
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from ({**value, name: bad} for bad in spoilt(inner, secret))
        yield {**value, "undeclared": secret}
    elif isinstance(value, list):
        yield from ([bad] for inner in value for bad in spoilt(inner, secret))
    elif secret.isdigit():
        yield int(secret)


def bodies(schema: Schema, secret: str) -> Iterator[bytes]:
    one = {name: example(shape) for name, shape in schema.fields.items()}
    good = [one] if schema.many else one
    yield secret.encode()
    yield f'{{"password": "{secret}'.encode()
    for bad in spoilt(good, secret):
        yield json.dumps(bad).encode()


def test_secrets_in_headers_are_nowhere(place: Place) -> None:
    for secret in place.each_secret():
        for method, rule, _ in routes(place):
            everywhere = dict.fromkeys(HEADERS, secret)
            path = address(place, rule)
            place.send(method, path, headers=everywhere)
            place.send(method, path, headers={**everywhere, "Authorization": f"Bearer {secret}"})
            harmless = {
                name: secret for name in HEADERS if name not in ("Authorization", "X-API-Key", "Content-Type")
            }
            if rule.endpoint != "auth.log_out":
                place.send(method, path, headers=harmless)
    assert place.successes > 100
    assert place.leaks() == []


def test_secrets_in_queries_are_nowhere(place: Place) -> None:
    for secret in place.each_secret():
        for method, rule, declared in routes(place):
            names = [*(declared.query.fields if declared and declared.query else ()), *UNDECLARED_PARAMETERS]
            path = address(place, rule)
            place.send(method, path, query_string=dict.fromkeys(names, secret), headers={"Authorization": ""})
            if rule.endpoint != "auth.log_out":
                for name in names:
                    place.send(method, path, query_string={name: secret})
                place.send(method, path, query_string=[(names[0], secret), (names[0], secret)])
    assert place.successes > 100
    assert place.leaks() == []


def test_secrets_in_paths_are_nowhere(place: Place) -> None:
    for secret in place.each_secret():
        for method, rule, _ in routes(place):
            if "<" in rule.rule:
                place.send(method, address(place, rule, secret))
            place.send(method, f"{address(place, rule).rstrip('/')}/{quote(secret)}")
            place.send(method, f"/{quote(secret)}{address(place, rule)}")
    assert place.leaks() == []


def test_secrets_in_bodies_are_nowhere(place: Place) -> None:
    with_bodies = [route for route in routes(place) if route[2] is not None and route[2].body is not None]
    assert len(with_bodies) >= 6
    for secret in place.each_secret():
        for method, rule, declared in with_bodies:
            assert declared is not None
            assert declared.body is not None
            for body in bodies(declared.body, secret):
                place.send(method, address(place, rule), data=body, content_type="application/json")
    assert place.successes > 10
    assert place.leaks() == []


def test_secrets_in_bodies_of_routes_that_take_none_are_nowhere(place: Place) -> None:
    for secret in place.each_secret():
        for method, rule, declared in routes(place):
            if (declared is None or declared.body is None) and rule.endpoint != "auth.log_out":
                place.send(method, address(place, rule), json={"password": secret})
    assert place.leaks() == []


@pytest.mark.parametrize("table", ["usuario", "pedido"])
def test_secrets_in_the_statements_of_a_broken_database_are_nowhere(place: Place, table: str) -> None:
    with place.shop.database.writing() as session:
        session.execute(text(f"ALTER TABLE {table} RENAME TO elsewhere"))
    for secret in place.canaries.values():
        for path, body in (
            ("/api/v1/auth/login", {"username": secret[:80], "password": secret[:128]}),
            (
                "/orders",
                {"customer_id": secret[:80], "notes": secret, "items": [{"product_id": 0, "quantity": 1}]},
            ),
        ):
            response = place.client.post(
                path, json=body, headers={"X-API-Key": API_KEY, "Idempotency-Key": secret[:80]}
            )
            if response.status_code >= 400:
                place.errors.append(response.get_data(as_text=True))
    assert len(place.errors) >= len(place.canaries)
    told = place.console.getvalue()
    failure = "ProgrammingError" if ON_POSTGRESQL else "OperationalError"
    assert told.count(failure) >= len(place.canaries)
    shortened = {f"the first 60 of {name}": secret[:60] for name, secret in place.canaries.items()}
    place.canaries |= shortened
    assert place.leaks() == []
