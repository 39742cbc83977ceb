"""The Postman collection beside the OpenAPI document; tests/e2e/test_postman.py runs it."""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.parse import urlsplit

import pytest
from flask import Flask

from app.web.openapi import build_document
from tests.support.postman import COLLECTION, leaves, read_collection

DOCUMENTATION = {("GET", "/apispec_1.json"), ("GET", "/apidocs/")}
SHOWN_ERRORS = {("GET", "/nao-existe"), ("POST", "/health")}
"""Not routes: what a 404 and a 405 look like."""
GIVEN = {
    "baseUrl": "http://localhost:5000",
    "username": "admin",
    "password": "1234",
    "apiKey": "minha_chave_secreta_empresa",
}


@pytest.fixture(scope="module")
def collection() -> dict[str, Any]:
    return read_collection()


def scripts(item: dict[str, Any], listen: str) -> str:
    """Return the scripts that an item runs at `listen`, as one text."""
    return "\n".join(
        line for event in item["event"] if event["listen"] == listen for line in event["script"]["exec"]
    )


def route(item: dict[str, Any]) -> tuple[str, str]:
    """Return the method and the path of a request; the path begins where {{baseUrl}} ends."""
    method, raw = item["request"]["method"], item["request"]["url"]["raw"]
    return method, urlsplit(raw.removeprefix("{{baseUrl}}")).path


def matches(path: str, template: str) -> bool:
    """Return True if `path` fits the document's `template`; a fixed part must be the same in both."""
    parts, places = path.split("/"), template.split("/")
    return len(parts) == len(places) and all(
        part == place or (place.startswith("{") and part != "")
        for part, place in zip(parts, places, strict=True)
    )


def test_every_route_is_in_the_collection(app: Flask, collection: dict[str, Any]) -> None:
    described = {
        (method.upper(), path)
        for path, operations in build_document(app)["paths"].items()
        for method in operations
    }
    called: set[tuple[str, str]] = set()
    for item in leaves(collection):
        method, path = route(item)
        same_method = [template for other, template in described if other == method]
        # As a server would: /books/search is itself before it is a book.
        exact = [template for template in same_method if template == path]
        fitting = exact or [template for template in same_method if matches(path, template)]
        called |= {(method, template) for template in fitting} or {(method, path)}
    assert called == described | DOCUMENTATION | SHOWN_ERRORS


def test_no_request_leaves_for_another_host(collection: dict[str, Any]) -> None:
    for item in leaves(collection):
        url = item["request"]["url"]
        assert url["host"] == ["{{baseUrl}}"]
        assert url["raw"].startswith("{{baseUrl}}/"), url["raw"]
    # Nor does a script: the only addresses are the shop's own and the name of the format.
    text = COLLECTION.read_text(encoding="utf-8")
    assert "sendRequest" not in text
    hosts = set(re.findall(r"https?://([\w.-]+)", text))
    assert hosts == {"localhost", urlsplit(collection["info"]["schema"]).hostname}


def test_every_request_is_explained_and_checks_its_status(collection: dict[str, Any]) -> None:
    for item in leaves(collection):
        assert item["request"]["description"], item["name"]
        assert re.search(r'pm\.test\("Status \d{3}: ', scripts(item, "test")), item["name"]


def test_the_variables_that_are_used_are_declared(collection: dict[str, Any]) -> None:
    declared = {variable["key"]: variable["value"] for variable in collection["variable"]}
    assert {name: declared[name] for name in GIVEN} == GIVEN
    assert all(value == "" for name, value in declared.items() if name not in GIVEN)
    for item in leaves(collection):
        local = set(re.findall(r'pm\.variables\.set\("(\w+)"', scripts(item, "prerequest")))
        used = set(re.findall(r"\{\{(\w+)\}\}", json.dumps(item["request"])))
        kept = set(
            re.findall(r'collectionVariables\.\w+\("(\w+)"', json.dumps(item["event"]).replace("\\", ""))
        )
        assert used | kept <= set(declared) | local, item["name"]
