"""The Postman collection, run by newman against a real server."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from flask import Flask

from app.web.openapi import build_document
from demo.site.server import DemoSite
from tests.support.programs import need
from tests.support.server import ROOT, Server

COLLECTION = ROOT / "docs" / "livraria.postman_collection.json"
NEWMAN = ROOT / "tests" / "e2e" / "newman"
DOCUMENTATION = {("GET", "/apispec_1.json"), ("GET", "/apidocs/")}
SHOWN_ERRORS = {("GET", "/nao-existe"), ("POST", "/health")}
"""Not routes: what a 404 and a 405 look like."""
NEEDED_TO_SCRAPE = ("02 Autenticação", "07 Scraping")
GIVEN = {
    "baseUrl": "http://localhost:5000",
    "username": "admin",
    "password": "1234",
    "apiKey": "minha_chave_secreta_empresa",
}


@pytest.fixture(scope="module")
def collection() -> dict[str, Any]:
    collection: dict[str, Any] = json.loads(COLLECTION.read_text(encoding="utf-8"))
    return collection


def leaves(folder: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Every request of a folder and the folders in it."""
    for item in folder["item"]:
        if "item" in item:
            yield from leaves(item)
        else:
            yield item


def scripts(item: dict[str, Any], listen: str) -> str:
    """Return the scripts that an item runs at `listen`, as one text."""
    return "\n".join(
        line for event in item["event"] if event["listen"] == listen for line in event["script"]["exec"]
    )


def route(item: dict[str, Any]) -> tuple[str, str]:
    """The method and the path of a request; the path begins where {{baseUrl}} ends."""
    method, raw = item["request"]["method"], item["request"]["url"]["raw"]
    return method, urlsplit(raw.removeprefix("{{baseUrl}}")).path


def matches(path: str, template: str) -> bool:
    """Return True if `path` fits the document's `template`; a fixed part must be the same in both."""
    parts, places = path.split("/"), template.split("/")
    return len(parts) == len(places) and all(
        part == place or (place.startswith("{") and part != "")
        for part, place in zip(parts, places, strict=True)
    )


def stocks_of(server: Server) -> dict[int, int]:
    """Return how many copies of each book can be ordered, by id."""
    return {book["id"]: book["disponibilidade"] for book in server.get("/api/v1/books").json()}


def run_newman(server: Server, report: Path, *folders: str) -> dict[str, Any]:
    """Return newman's report of the collection, or of some of its folders."""
    need("node", debian_package="nodejs")
    command = [need("newman", npm_folder=NEWMAN), "run", str(COLLECTION)]
    command += ["--env-var", f"baseUrl={server.url}"]
    command += ["--reporters", "json", "--reporter-json-export", str(report)]
    command += [argument for folder in folders for argument in ("--folder", folder)]
    newman = subprocess.run(
        command,
        env={"PATH": os.environ["PATH"], "HOME": str(report.parent), "NO_PROXY": "*"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert report.exists(), newman.stdout + newman.stderr
    run: dict[str, Any] = json.loads(report.read_text(encoding="utf-8"))["run"]
    return run


def check_run(run: dict[str, Any], requests: int) -> None:
    """Check that every request was sent and checked, and that nothing failed."""
    failures = [
        f"{failure['parent']['name']} / {failure['source']['name']}: "
        f"{failure['error'].get('test', '')}: {failure['error']['message']}"
        for failure in run["failures"]
    ]
    assert failures == []
    assert run["stats"]["requests"]["total"] >= requests
    assert run["stats"]["assertions"]["total"] >= run["stats"]["requests"]["total"]


def test_the_collection_passes_and_passes_again_after_a_scrape(
    start_server: Callable[..., Server],
    open_site: Callable[..., DemoSite],
    collection: dict[str, Any],
    tmp_path: Path,
) -> None:
    server = start_server(SCRAPER_BASE_URL=open_site().base_url, PAYMENT_TIMEOUT_S="0.5")
    requests = len(list(leaves(collection)))
    stocks = stocks_of(server)
    check_run(run_newman(server, tmp_path / "first.json"), requests)
    if server.get("/health").json()["origem"] == "demonstracao":  # the scrape was cancelled in time
        assert stocks_of(server) == stocks

    server.post("/api/v1/scraping/trigger", headers=server.log_in())
    assert server.wait_for_scrape()["status"] == "done"
    assert server.get("/health").json()["origem"] == "scraping"
    check_run(run_newman(server, tmp_path / "second.json"), requests)


def test_the_scraping_folder_passes_without_a_shop_to_scrape(
    start_server: Callable[..., Server], collection: dict[str, Any], tmp_path: Path
) -> None:
    server = start_server(SCRAPER_BASE_URL="http://127.0.0.1:9/")
    chosen = [folder for folder in collection["item"] if folder["name"] in NEEDED_TO_SCRAPE]
    assert len(chosen) == len(NEEDED_TO_SCRAPE)
    report = run_newman(server, tmp_path / "report.json", *NEEDED_TO_SCRAPE)
    check_run(report, sum(len(list(leaves(folder))) for folder in chosen))


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
