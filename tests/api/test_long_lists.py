"""Lists of more books than one response may hold."""

from __future__ import annotations

import re

import pytest
from flask.testing import FlaskClient

from app.core.catalogue import Catalogue
from app.shop import Shop
from tests.support.books import make_book, make_catalogue

BOOKS = 12_345


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return make_catalogue(*(make_book(2 * number, rating=5, stock=number % 7) for number in range(BOOKS)))


@pytest.fixture
def long_client(
    client: FlaskClient, shop: Shop, catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> FlaskClient:
    monkeypatch.setattr(shop.catalogue, "current", lambda: catalogue)
    return client


@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/books",
        "/api/v1/books?sort=disponibilidade&order=desc",
        "/api/v1/books/search",
        "/api/v1/books/search?titulo=book&sort=titulo",
        "/api/v1/books/price-range?min=1&max=10",
        "/api/v1/books/top-rated",
    ],
)
def test_following_the_links_of_a_long_list_gives_every_book_once(
    long_client: FlaskClient, path: str, catalogue: Catalogue
) -> None:
    seen: list[int] = []
    sizes: list[int] = []
    address: str | None = path
    while address is not None:
        response = long_client.get(address)
        assert response.headers["X-Total-Count"] == str(BOOKS)
        ids = [book["id"] for book in response.get_json()]
        seen += ids
        sizes.append(len(ids))
        links = {name: url for url, name in re.findall(r'<([^>]*)>; rel="(\w+)"', response.headers["Link"])}
        address = links.get("next")
    assert sizes == [10_000, 1_000, 1_000, 345]
    assert sorted(seen) == catalogue.base.columns.ids.tolist()
    assert len(long_client.get(links["first"]).get_json()) == 1_000
    assert links["prev"].endswith("page=12&per_page=1000")


def test_the_pages_of_a_client_stay_as_they_were(long_client: FlaskClient) -> None:
    response = long_client.get("/api/v1/books/price-range?min=1&max=10&page=3&per_page=5")
    assert [book["id"] for book in response.get_json()] == [20, 22, 24, 26, 28]
    assert 'page=4&per_page=5>; rel="next"' in response.headers["Link"]
    assert len(long_client.get("/api/v1/books/top-rated?page=2").get_json()) == 20
