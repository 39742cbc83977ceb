from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from html.parser import HTMLParser
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from openapi_spec_validator import OpenAPIV30SpecValidator

from app.blueprints.system import LINKS
from app.factory import _require_operations
from app.web.endpoint import operation_of
from app.web.openapi import path_of

BROWSER = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}


@pytest.fixture(scope="module")
def document(reader: FlaskClient) -> dict[str, Any]:
    document: dict[str, Any] = reader.get("/apispec_1.json").get_json()
    return document


def operations(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, item in document["paths"].items():
        for method, operation in item.items():
            yield f"{method.upper()} {path}", operation


def test_the_document_is_valid_openapi(document: dict[str, Any]) -> None:
    problems = [str(error.message)[:300] for error in OpenAPIV30SpecValidator(document).iter_errors()]
    assert problems == []
    assert document["openapi"] == "3.0.3"


def test_every_reference_of_the_document_leads_somewhere(document: dict[str, Any]) -> None:
    def references(node: object) -> Iterator[str]:
        if isinstance(node, dict):
            if isinstance(node.get("$ref"), str):
                yield node["$ref"]
            for inner in node.values():
                yield from references(inner)
        elif isinstance(node, list):
            for inner in node:
                yield from references(inner)

    for reference in set(references(document)):
        section, _, name = reference.removeprefix("#/components/").partition("/")
        assert name in document["components"][section], reference[:100]


def test_every_route_is_described(reader: FlaskClient, document: dict[str, Any]) -> None:
    app = reader.application
    described = {name for name, _ in operations(document)}
    declared = {
        f"{method} {path_of(rule)}"
        for rule in app.url_map.iter_rules()
        if operation_of(app.view_functions[rule.endpoint])
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    assert described == declared
    assert len(declared) >= 20


def test_only_files_and_documentation_are_not_described(reader: FlaskClient) -> None:
    app = reader.application
    silent = {
        r.rule for r in app.url_map.iter_rules() if operation_of(app.view_functions[r.endpoint]) is None
    }
    assert all(
        re.match(r"/(static|flasgger_static|apidocs|apispec_1\.json|oauth2-redirect)", rule)
        for rule in silent
    )


def test_every_operation_explains_itself(document: dict[str, Any]) -> None:
    known = {tag["name"] for tag in document["tags"]}
    identifiers = []
    for name, operation in operations(document):
        assert operation["summary"], name
        assert set(operation["tags"]) <= known, name
        assert "500" in operation["responses"], name
        assert any(status.startswith("2") for status in operation["responses"]), name
        assert ("401" in operation["responses"]) == bool(operation["security"] or "login" in name), name
        identifiers.append(operation["operationId"])
    assert len(identifiers) == len(set(identifiers))


def test_a_view_that_declares_nothing_stops_the_start() -> None:
    with pytest.raises(RuntimeError, match=r"routes without an operation: shop\.silent"):
        _require_operations({"static": lambda: "", "shop.silent": lambda: ""})


class Sources(HTMLParser):
    """The addresses that a page loads, and the scripts written into it."""

    def __init__(self) -> None:
        super().__init__()
        self.addresses: list[str] = []
        self.inline_scripts = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        if tag == "script" and not values.get("src"):
            self.inline_scripts += 1
        self.inline_scripts += sum(name.startswith("on") for name in values)
        address = values.get("src") or (values.get("href") if tag == "link" else None)
        if address:
            self.addresses.append(address)


@pytest.mark.parametrize("path", ["/apidocs/", "/"])
def test_a_page_loads_only_what_the_shop_itself_serves(reader: FlaskClient, path: str) -> None:
    response = reader.get(path, headers=BROWSER)
    assert response.status_code == 200
    assert response.mimetype == "text/html"
    sources = Sources()
    sources.feed(response.text)
    assert sources.inline_scripts == 0, "the Content-Security-Policy forbids them"
    for address in sources.addresses:
        if not address.startswith("data:"):
            assert reader.get(address, buffered=True).status_code == 200, address


def test_what_the_document_fills_in_for_a_visitor_finds_something(
    reader: FlaskClient, document: dict[str, Any]
) -> None:
    """Swagger sends the examples and defaults of parameters that are left alone."""
    for path, item in document["paths"].items():
        if not path.startswith("/api/v1/") or "{" in path or "get" not in item or item["get"]["security"]:
            continue
        query = {
            parameter["name"]: value
            for parameter in item["get"].get("parameters", ())
            if (value := parameter["schema"].get("example", parameter["schema"].get("default")))
        }
        response = reader.get(path, query_string=query)
        assert response.status_code == 200 or "model" in path, (path, query)
        assert response.get_json(), (path, query)


def test_every_link_leads_to_an_operation(document: dict[str, Any]) -> None:
    operations = [operation for path in document["paths"].values() for operation in path.values()]
    parameters = {
        operation["operationId"]: {parameter["name"] for parameter in operation["parameters"]}
        for operation in operations
    }
    links = [
        link
        for operation in operations
        for response in operation["responses"].values()
        for link in response.get("links", {}).values()
    ]
    assert len(links) >= 8
    for link in links:
        assert link["parameters"].keys() <= parameters[link["operationId"]], link


def test_the_documentation_without_its_slash_is_the_same_page(reader: FlaskClient) -> None:
    pages = [reader.get(path) for path in ("/apidocs", "/apidocs/")]
    assert [page.status_code for page in pages] == [200, 200]
    assert pages[0].data == pages[1].data


def test_the_welcome_links_to_what_exists(reader: FlaskClient) -> None:
    response = reader.get("/")
    assert response.get_json()["links"] == LINKS
    for address in LINKS.values():
        assert reader.get(address, buffered=True).status_code == 200, address


@pytest.mark.parametrize(
    ("accept", "mimetype"),
    [
        (BROWSER["Accept"], "text/html"),
        ("text/html", "text/html"),
        ("application/json", "application/json"),
        ("*/*", "application/json"),
        ("application/json, text/html;q=0.9", "application/json"),
        ("image/png", "application/json"),
    ],
)
def test_browsers_are_welcomed_with_a_page_and_others_with_json(
    reader: FlaskClient, accept: str, mimetype: str
) -> None:
    response = reader.get("/", headers={"Accept": accept})
    assert response.mimetype == mimetype
    assert "Accept" in response.headers["Vary"].replace("Accept-Encoding", "")


def test_the_page_shows_titles_as_text(reader: FlaskClient) -> None:
    page = reader.get("/", headers=BROWSER).text
    assert "Ação & “Reação”" not in page
    assert "Ação &amp; “Reação”" in page


def test_the_page_tells_the_sample_password_in_development_only(make_app: Callable[..., Flask]) -> None:
    production = make_app(app_env="production").test_client()
    assert "1234" not in re.sub(
        r"<style.*?</style>", "", production.get("/", headers=BROWSER).text, flags=re.DOTALL
    )


@pytest.mark.parametrize("path", ["/health", "/api/v1/health"])
def test_a_healthy_shop_says_what_it_serves(reader: FlaskClient, path: str) -> None:
    health = reader.get(path).get_json()
    assert health["status"] == "healthy"
    assert health["message"]
    assert (health["livros"], health["origem"], health["fonte"]) == (6, "scraping", "https://shop.invalid/")
    assert (health["versao_catalogo"], health["scraping"]) == (2, "never")
