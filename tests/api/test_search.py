"""Searches that forgive slips, what they leave as it is, and their facets."""

from __future__ import annotations

import random
from functools import partial
from typing import Any

import numpy as np
import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.core.catalogue import Catalogue
from app.web.formats import Format
from app.web.presenters.catalogue import BookKeys, present_books
from app.web.rows import Rows
from tests.support.checks import fields_of
from tests.support.orders import place_order
from tests.support.slips import make_slips
from tests.unit.core.test_catalogue_reference import in_order, search

SEARCH, FACETS = "/api/v1/books/search", "/api/v1/books/facets"
MODE = "X-Search-Mode"


def ids(client: FlaskClient, query: str) -> list[int]:
    return [book["id"] for book in client.get(f"{SEARCH}?{query}").get_json()]


def test_what_is_found_exactly_is_answered_in_the_same_bytes_as_by_the_plainest_search(
    app: Flask, client: FlaskClient
) -> None:
    snapshot: Catalogue = app.extensions["shop"].catalogue.current()
    columns = snapshot.base.columns
    books = [snapshot.book(book_id) for book_id in columns.ids]
    draw = random.Random(7)
    found_exactly = 0
    for _, text in make_slips(columns.titles, 100):
        query = {
            "titulo": draw.choice([text, text[2:9], text.split()[0]]),
            "categoria": draw.choice(["", "", "fiction", draw.choice(list(columns.categories))]),
            "sort": draw.choice(["id", "titulo", "disponibilidade"]),
            "order": draw.choice(["asc", "desc"]),
        }
        expected = in_order(
            search(books, query["titulo"], query["categoria"]),
            query["sort"],
            descending=query["order"] == "desc",
        )
        places = np.array([snapshot.base.position(book.id) for book in expected], dtype=np.int32)
        response = client.get(SEARCH, query_string={**query, "exato": "1"})
        rows = Rows(len(places), partial(present_books, snapshot, places, BookKeys.FOUND))
        assert response.data == b"".join(rows.body(Format.JSON))
        assert response.headers[MODE] == "exata"
        if expected:
            forgiving = client.get(SEARCH, query_string=query)
            assert forgiving.data == response.data
            assert {**forgiving.headers, "X-Request-ID": ""} == {**response.headers, "X-Request-ID": ""}
            found_exactly += 1
    assert 20 < found_exactly < 80


def test_a_near_book_is_the_found_one_with_a_mark_behind_its_other_keys(reader: FlaskClient) -> None:
    exact = reader.get(f"{SEARCH}?titulo=behind").get_json()
    response = reader.get(f"{SEARCH}?titulo=behimd")
    assert "aproximado" not in exact[0]
    assert response.get_json() == [{**exact[0], "aproximado": True}]
    assert response.data.endswith(b',"aproximado":true}]')
    assert (response.headers[MODE], response.headers["X-Total-Count"]) == ("aproximada", "1")


def test_near_books_are_left_out_where_only_exact_ones_are_asked_for(reader: FlaskClient) -> None:
    response = reader.get(f"{SEARCH}?titulo=behimd&exato=1")
    assert (response.data, response.headers[MODE], response.headers["X-Total-Count"]) == (b"[]", "exata", "0")
    assert ids(reader, "titulo=behimd&exato=0") == [2]
    assert fields_of(reader.get(f"{SEARCH}?exato=sim")) == {"exato"}


def test_a_search_that_finds_nothing_near_is_an_exact_one_without_books(reader: FlaskClient) -> None:
    response = reader.get(f"{SEARCH}?titulo=zzzzzzzz")
    assert (response.data, response.headers[MODE]) == (b"[]", "exata")


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("titulo=Ligth+in+teh+Atic", [0]),
        ("titulo=Cheap&categoria=Poetri", [5]),
        ("titulo=Chaep&categoria=Poetri", [5]),
        ("titulo=Chaep&categoria=Fiction", []),
        ("categoria=Ficton", [3, 4]),
        ("titulo=acao+e+reacoa", [4]),
    ],
)
def test_slips_in_title_and_category_are_forgiven(reader: FlaskClient, query: str, found: list[int]) -> None:
    assert ids(reader, query) == found


def test_near_books_come_nearest_first_unless_they_are_sorted(reader: FlaskClient) -> None:
    assert ids(reader, "titulo=Tipping+Velvit") == [1]
    assert ids(reader, "categoria=Ficton&sort=preco_com_taxa&order=desc") == [4, 3]
    assert ids(reader, "categoria=Ficton&order=desc") == [4, 3]


def test_near_books_of_many_are_sorted_by_what_is_asked_for(client: FlaskClient) -> None:
    near = "titulo=The+Gardn"
    nearest_first = ids(client, near)
    assert len(nearest_first) == 20
    assert nearest_first != sorted(nearest_first)
    assert ids(client, f"{near}&sort=id") == ids(client, f"{near}&order=asc") == sorted(nearest_first)
    assert ids(client, f"{near}&order=desc&page=1&per_page=20") == sorted(nearest_first, reverse=True)


def test_near_books_have_pages(reader: FlaskClient) -> None:
    response = reader.get(f"{SEARCH}?categoria=Ficton&page=2&per_page=1")
    assert [book["id"] for book in response.get_json()] == [4]
    assert response.headers["X-Total-Count"] == "2"
    assert 'categoria=Ficton&page=1&per_page=1>; rel="prev"' in response.headers["Link"]


def test_a_near_book_shows_the_stock_after_a_sale(client: FlaskClient, six_books: None) -> None:
    near = f"{SEARCH}?titulo=Atitc"
    before = client.get(near)
    place_order(client, (0, 2))
    after = client.get(near, headers={"If-None-Match": before.headers["ETag"]})
    assert (before.get_json()[0]["disponibilidade"], after.get_json()[0]["disponibilidade"]) == (22, 20)
    assert client.get(near, headers={"If-None-Match": after.headers["ETag"]}).status_code == 304


def test_facets_count_what_a_search_finds(reader: FlaskClient) -> None:
    response = reader.get(f"{FACETS}?titulo=the")
    assert response.headers[MODE] == "exata"
    facets: dict[str, Any] = response.get_json()
    assert facets["categorias"] == [
        {"nome": "Historical Fiction", "livros": 1},
        {"nome": "Poetry", "livros": 1},
    ]
    assert facets["ratings"] == {"1": 1, "2": 0, "3": 1, "4": 0, "5": 0}
    bands = facets["faixas_de_preco"]
    assert bands[0] == {"min": 10.0, "max": 14.99, "livros": 0}
    assert bands[-1] == {"min": 50.0, "max": 54.99, "livros": 2}


def test_facets_of_everything_and_of_nothing_have_the_same_bands(reader: FlaskClient) -> None:
    whole, none = (reader.get(f"{FACETS}?titulo={text}").get_json() for text in ("", "zzzzzzzz"))
    assert whole["categorias"][:2] == [{"nome": "Fiction", "livros": 2}, {"nome": "Poetry", "livros": 2}]
    assert none["categorias"] == []
    assert sum(none["ratings"].values()) == 0
    bounds = [[(band["min"], band["max"]) for band in facets["faixas_de_preco"]] for facets in (whole, none)]
    assert bounds[0] == bounds[1]
    for band in whole["faixas_de_preco"]:
        inside = reader.get(f"/api/v1/books/price-range?min={band['min']}&max={band['max']}").get_json()
        assert len(inside) == band["livros"]


def test_facets_count_near_books_unless_only_exact_ones_are_asked_for(reader: FlaskClient) -> None:
    near = reader.get(f"{FACETS}?titulo=behimd")
    assert near.headers[MODE] == "aproximada"
    assert near.get_json()["categorias"] == [{"nome": "Thriller", "livros": 1}]
    exact = reader.get(f"{FACETS}?titulo=behimd&exato=1")
    assert exact.headers[MODE] == "exata"
    assert exact.get_json()["categorias"] == []


def test_facets_stay_the_same_through_a_sale(client: FlaskClient, six_books: None) -> None:
    tag = client.get(FACETS).headers["ETag"]
    place_order(client, (0, 2))
    assert client.get(FACETS, headers={"If-None-Match": tag}).status_code == 304
