from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from flask import Flask

from app.storage.models import ScrapeRunRow
from app.web import pagination
from tests.api.conftest import SIX_BOOKS, publish
from tests.support.checks import fields_of
from tests.support.orders import API_KEY, order_for, place_order
from tests.support.scraping_client import ScrapingClient

BOOKS = "/api/v1/books"


def test_a_setting_bounds_the_items_of_an_order(make_app: Callable[..., Flask]) -> None:
    app = make_app(order_max_items=2)
    publish(app, SIX_BOOKS)
    client = app.test_client()
    refused = client.post("/orders", json=order_for((0, 1), (1, 1), (2, 1)), headers=API_KEY)
    assert fields_of(refused) == {"items"}
    assert refused.get_json()["errors"][0]["message"] == "deve ter de 1 a 2 itens"
    accepted = client.post("/orders", json=order_for((0, 1), (1, 1)), headers=API_KEY)
    assert accepted.status_code == 201
    document = client.get("/apispec_1.json").get_json()
    assert document["components"]["schemas"]["NewOrder"]["properties"]["items"]["maxItems"] == 2


def test_a_setting_bounds_the_pages_of_a_list(make_app: Callable[..., Flask]) -> None:
    app = make_app(max_per_page=4)
    publish(app, SIX_BOOKS)
    client = app.test_client()
    assert fields_of(client.get(f"{BOOKS}?per_page=5")) == {"per_page"}
    assert fields_of(client.get("/orders?per_page=5", headers=API_KEY)) == {"per_page"}
    assert fields_of(client.get("/orders?limit=5", headers=API_KEY)) == {"limit"}
    assert len(client.get(f"{BOOKS}?per_page=4").get_json()) == 4
    first = client.get(f"{BOOKS}?page=1")
    assert len(first.get_json()) == 4
    assert 'page=2&per_page=4>; rel="next"' in first.headers["Link"]
    paths = client.get("/apispec_1.json").get_json()["paths"]
    for path, name in ((BOOKS, "per_page"), ("/orders", "per_page"), ("/orders", "limit")):
        parameters = {parameter["name"]: parameter for parameter in paths[path]["get"]["parameters"]}
        assert parameters[name]["schema"]["maximum"] == 4


def test_a_list_that_is_not_shown_whole_goes_on_in_pages_of_the_largest_size(
    make_app: Callable[..., Flask], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pagination, "MAX_UNPAGED", 5)
    app = make_app(max_per_page=2)
    publish(app, SIX_BOOKS)
    client = app.test_client()
    begin = client.get(BOOKS)
    following = client.get(
        begin.headers["Link"].partition('rel="next"')[0].rpartition("<")[2].partition(">")[0]
    )
    ids = [book["id"] for book in begin.get_json() + following.get_json()]
    assert ids == list(range(6))


def test_a_cursor_walks_in_pages_that_the_setting_allows(make_app: Callable[..., Flask]) -> None:
    app = make_app(max_per_page=2)
    publish(app, SIX_BOOKS)
    client = app.test_client()
    for _ in range(3):
        place_order(client)
    first = client.get("/orders?limit=2", headers=API_KEY).headers["Link"]
    cursor = first.partition("cursor=")[2].partition(">")[0].partition("&")[0]
    response = client.get(f"/orders?cursor={cursor}", headers=API_KEY)
    assert (response.status_code, len(response.get_json()["orders"])) == (200, 1)


def test_more_runs_than_a_page_holds_are_all_listed_where_so_many_are_kept(
    make_app: Callable[..., Flask],
) -> None:
    app = make_app(scrape_runs_kept=2_000)
    client = ScrapingClient(app)
    now = datetime.now(UTC)
    with client.shop.database.writing() as session:
        session.add_all(
            ScrapeRunRow(
                status="done", base_url="http://x/", started_by="admin", started_at=now, ended_at=now
            )
            for _ in range(1_001)
        )
    assert len(client.get("/api/v1/scraping/runs")) == 1_001
