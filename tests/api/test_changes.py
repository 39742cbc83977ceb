from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.core.history import BookChange
from app.shop import Shop
from app.storage import changes as storage
from tests.api.conftest import SIX_BOOKS, open_shop, publish
from tests.support.books import make_scraped
from tests.support.checks import fields_of
from tests.support.databases import ReadyShop
from tests.support.orders import place_order
from tests.support.past import (
    CHANGES,
    date_publication,
    day,
    expected_changes,
    random_catalogues,
    save,
    walk_changes,
)

PUBLICATIONS = 12
WORDS = [kind.word for kind in BookChange]


@pytest.fixture(scope="module")
def old_shop(
    ready_shop: ReadyShop, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[FlaskClient, list[dict[str, Any]]]]:
    """A shop with random publications, one a day, and the changes that they must have; nothing changes it."""
    data_dir = tmp_path_factory.mktemp("old") / "data"
    with open_shop(ready_shop, data_dir) as app:
        client, shop = app.test_client(), app.extensions["shop"]
        saved = [save(client, shop, day(-1))]
        for number, books in enumerate(random_catalogues(PUBLICATIONS, seed=13)):
            publish(app, books)
            saved.append(save(client, shop, day(number)))
        yield client, expected_changes(saved)


@pytest.fixture
def published(app: Flask, client: FlaskClient, shop: Shop) -> Any:
    """Publishes books on a day and returns the version."""

    def put_on_sale(number: int, *books: Any) -> int:
        publish(app, list(books))
        return date_publication(shop, day(number))

    return put_on_sale


def brief(changes: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
    return [(c["versao"], c["id"], c["tipo"], c["antes"], c["depois"]) for c in changes]


def test_the_changes_are_those_between_the_catalogues_that_were_served(
    old_shop: tuple[FlaskClient, list[dict[str, Any]]],
) -> None:
    client, expected = old_shop
    assert {change["tipo"] for change in expected} == set(WORDS)
    assert walk_changes(client, limit=1000) == expected
    assert walk_changes(client) == expected


@pytest.mark.parametrize("seed", range(40))
def test_every_combination_of_filters_and_pages_lists_what_a_comparison_in_python_does(
    old_shop: tuple[FlaskClient, list[dict[str, Any]]], monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    client, expected = old_shop
    chance = random.Random(seed)
    monkeypatch.setattr(storage, "SCANNED_ROWS", chance.choice([7, 40, 5_000]))
    query: dict[str, Any] = {"limit": chance.choice([5, 17, 100])}
    if chance.random() < 0.5:
        query["tipo"] = chance.choice(WORDS)
        expected = [c for c in expected if c["tipo"] == query["tipo"]]
    if chance.random() < 0.4:
        query["categoria"] = chance.choice(["C0", "c1", "C3", "c3", "C9"])
        expected = [c for c in expected if c["categoria"] == query["categoria"].upper()]
    if chance.random() < 0.4 and query.get("tipo", "preco") in ("preco", "estoque"):
        query["minimo"] = chance.choice(["0", "0.01", "1", "1.37", "2.995", "12"])
        expected = [c for c in expected if c["tipo"] in ("preco", "estoque")]
        expected = [c for c in expected if round(abs(c["depois"] - c["antes"]), 2) >= float(query["minimo"])]
    if chance.random() < 0.4:
        query["since"] = f"{day(chance.randrange(PUBLICATIONS)):%Y-%m-%dT%H:%M:%SZ}"
        expected = [c for c in expected if at(c) >= at({"observado_em": query["since"]})]
    if chance.random() < 0.4:
        query["until"] = f"{day(PUBLICATIONS):%Y-%m-%d}"
        expected = [c for c in expected if c["observado_em"] < query["until"]]
    assert walk_changes(client, **query) == expected


@pytest.mark.parametrize(("scanned", "limit"), [(1, 1), (1, 2), (2, 1)])
def test_the_smallest_pages_lead_to_the_end_too(
    old_shop: tuple[FlaskClient, list[dict[str, Any]]],
    monkeypatch: pytest.MonkeyPatch,
    scanned: int,
    limit: int,
) -> None:
    client, expected = old_shop
    monkeypatch.setattr(storage, "SCANNED_ROWS", scanned)
    since = f"{day(PUBLICATIONS - 2):%Y-%m-%d}"
    recent = [change for change in expected if change["observado_em"] >= since]
    assert walk_changes(client, limit=limit, since=since) == recent


def at(change: dict[str, Any]) -> datetime:
    return datetime.fromisoformat(change["observado_em"])


def test_the_demonstration_catalogue_is_new_until_the_first_scrape_and_forgotten_after_it(
    app: Flask, client: FlaskClient
) -> None:
    demonstration = walk_changes(client, limit=1000)
    assert len(demonstration) == 1_000
    assert {(change["versao"], change["tipo"]) for change in demonstration} == {(1, "adicionado")}
    publish(app, SIX_BOOKS)
    assert [(change["versao"], change["id"], change["tipo"]) for change in walk_changes(client)] == [
        (2, book_id, "adicionado") for book_id in (5, 4, 3, 2, 1, 0)
    ]


def test_an_id_of_the_demonstration_that_is_given_anew_is_a_new_book(
    app: Flask, client: FlaskClient, published: Any
) -> None:
    first = published(0, make_scraped("a"))
    second = published(1, make_scraped("a"), make_scraped("b", price="7.50"))
    assert brief(walk_changes(client)) == [
        (second, 1, "adicionado", None, 7.5),
        (first, 0, "adicionado", None, 10.0),
    ]


def test_copies_that_were_sold_between_two_publications_are_a_change_of_the_second(
    client: FlaskClient, published: Any
) -> None:
    published(0, make_scraped("a", stock=5), make_scraped("b"))
    place_order(client, (0, 2))
    assert walk_changes(client, tipo="estoque") == []
    version = published(1, make_scraped("a", stock=5), make_scraped("b", price="11.00"))
    assert brief(walk_changes(client, tipo="estoque")) == [(version, 0, "estoque", 5, 3)]


def test_an_edit_shows_each_text_that_it_changed(client: FlaskClient, published: Any) -> None:
    published(0, make_scraped("a"))
    version = published(1, make_scraped("a", title="Outro", rating=5, description="Novo."))
    published(2, make_scraped("a", title="Mais um", rating=5, description="Novo."))
    latest, edit = walk_changes(client, tipo="texto")
    assert edit["titulo"] == "Outro"
    assert brief([edit]) == [
        (
            version,
            0,
            "texto",
            {"titulo": "Book a", "rating": 3, "descricao": ""},
            {"titulo": "Outro", "rating": 5, "descricao": "Novo."},
        )
    ]
    assert (latest["antes"], latest["depois"]) == ({"titulo": "Outro"}, {"titulo": "Mais um"})


def test_publications_between_two_pages_neither_repeat_nor_hide_changes(
    app: Flask, client: FlaskClient, published: Any
) -> None:
    published(0, *SIX_BOOKS)
    published(1, *SIX_BOOKS[:4])
    before = walk_changes(client)
    prices = iter(range(20, 40))

    def publish_another() -> None:
        publish(app, [*SIX_BOOKS, make_scraped("new", price=f"{next(prices)}.00")])

    assert walk_changes(client, publish_another, limit=3) == before


def test_the_link_keeps_the_filters(client: FlaskClient, published: Any) -> None:
    published(0, *SIX_BOOKS)
    link = client.get(f"{CHANGES}?limit=1&tipo=adicionado&categoria=poetry").headers["Link"]
    assert "tipo=adicionado" in link
    assert "categoria=poetry" in link
    assert len(walk_changes(client, limit=1, categoria="poetry")) == 2


def test_a_category_that_no_book_has_any_more_is_found_by_its_name(
    client: FlaskClient, published: Any
) -> None:
    published(0, make_scraped("a", category="Antiga"))
    published(1, make_scraped("a", category="Nova"))
    assert [change["tipo"] for change in walk_changes(client, categoria="Antiga")] == ["adicionado"]
    assert [change["tipo"] for change in walk_changes(client, categoria="NOVA")] == ["texto"]


def test_a_client_that_has_the_changes_of_this_publication_gets_304(
    app: Flask, client: FlaskClient, published: Any
) -> None:
    published(0, *SIX_BOOKS)
    etag = client.get(CHANGES).headers["ETag"]
    place_order(client, (0, 1))
    assert client.get(CHANGES, headers={"If-None-Match": etag}).status_code == 304
    publish(app, SIX_BOOKS[:5])
    assert client.get(CHANGES, headers={"If-None-Match": etag}).status_code == 200


@pytest.mark.parametrize(
    ("query", "fields"),
    [
        ("tipo=preço", {"tipo"}),
        ("tipo=", {"tipo"}),
        ("categoria=", {"categoria"}),
        ("minimo=-1", {"minimo"}),
        ("minimo=NaN", {"minimo"}),
        ("minimo=1&tipo=texto", {"minimo"}),
        ("since=2026-01-04&until=2026-01-02", {"since"}),
        ("since=ontem", {"since"}),
        ("limit=0", {"limit"}),
        ("limit=1001", {"limit"}),
        ("cursor=x", {"cursor"}),
        ("cursor=1.2.3", {"cursor"}),
        ("cursor=1.2.64", {"cursor"}),
        ("cursor=-1.2.4", {"cursor"}),
        ("cursor=1234567890.2.4", {"cursor"}),
        ("cursor=1.2.4%0A", {"cursor"}),
        ("page=2", {"page"}),
    ],
)
def test_a_query_that_makes_no_sense_is_refused_by_name(
    reader: FlaskClient, query: str, fields: set[str]
) -> None:
    assert fields_of(reader.get(f"{CHANGES}?{query}")) == fields


@pytest.mark.parametrize("query", ["minimo=1e30", "cursor=999999999.999999999.1", "cursor=0.0.32"])
def test_the_largest_values_are_no_failure(reader: FlaskClient, query: str) -> None:
    assert reader.get(f"{CHANGES}?{query}").status_code == 200


def test_a_page_has_no_more_changes_than_the_shop_allows(make_app: Any) -> None:
    client = make_app(max_per_page=5).test_client()
    assert len(client.get(f"{CHANGES}?limit=5").get_json()) == 5
    assert fields_of(client.get(f"{CHANGES}?limit=6")) == {"limit"}
