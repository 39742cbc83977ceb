from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.shop import Shop
from app.storage import observations
from tests.api.conftest import publish
from tests.support.books import make_scraped
from tests.support.checks import problem_of
from tests.support.orders import place_order
from tests.support.past import date_publication, day, random_catalogues, save


def history(client: FlaskClient, book_id: int) -> list[dict[str, Any]]:
    response = client.get(f"/api/v1/books/{book_id}/history")
    assert response.status_code == 200, response.text
    points: list[dict[str, Any]] = response.get_json()
    return points


def brief(points: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
    return [(point["preco_com_taxa"], point["disponibilidade"], point["listado"]) for point in points]


def test_every_past_catalogue_is_found_again_in_the_histories(
    app: Flask, client: FlaskClient, shop: Shop
) -> None:
    saved = []
    for number, books in enumerate(random_catalogues(15, seed=5)):
        publish(app, books)
        saved.append(save(client, shop, day(number)))
    keys = ("preco_com_taxa", "preco_sem_taxa", "disponibilidade")
    for book_id in range(25):
        points = history(client, book_id)
        assert [point["versao"] for point in points] == sorted({point["versao"] for point in points})
        for version, _, served in saved:
            then = [point for point in points if point["versao"] <= version][-1:]
            shown = then[0] if then and then[0]["listado"] else None
            book = served.get(book_id)
            assert (shown and [shown[key] for key in keys]) == (book and [book[key] for key in keys])


def test_a_history_has_a_point_for_each_publication_that_found_a_difference(
    app: Flask, client: FlaskClient, shop: Shop
) -> None:
    a, b = make_scraped("a", stock=5), make_scraped("b")
    for number, books in enumerate(
        ([a, b], [a], [make_scraped("a", price="12.50", stock=5), b], [b], [make_scraped("a", stock=7), b])
    ):
        publish(app, books)
        date_publication(shop, day(number))
    points = history(client, 0)
    assert brief(points) == [(10.0, 5, True), (12.5, 5, True), (12.5, 5, False), (10.0, 7, True)]
    assert [point["observado_em"] for point in points] == [
        f"2026-01-{day}T12:00:00.000Z" for day in ("01", "03", "04", "05")
    ]


def test_sales_are_in_a_history_from_the_next_publication_on(app: Flask, client: FlaskClient) -> None:
    a, b = make_scraped("a", stock=5), make_scraped("b")
    publish(app, [a, b])
    place_order(client, (0, 2))
    assert brief(history(client, 0)) == [(10.0, 5, True)]
    publish(app, [a])
    assert brief(history(client, 0)) == [(10.0, 5, True), (10.0, 3, True)]


def test_an_edit_of_its_text_is_no_point_of_a_history(app: Flask, client: FlaskClient) -> None:
    publish(app, [make_scraped("a")])
    publish(app, [make_scraped("a", title="Outro")])
    assert len(history(client, 0)) == 1


def test_a_book_that_has_left_the_shop_has_a_history(app: Flask, client: FlaskClient) -> None:
    publish(app, [make_scraped("a"), make_scraped("b")])
    publish(app, [make_scraped("a")])
    problem_of(client.get("/api/v1/books/1"), 404)
    assert brief(history(client, 1)) == [(10.0, 5, True), (10.0, 5, False)]


@pytest.mark.parametrize("book_id", [6, 2**31 - 1, 2**31, 10**30])
def test_an_id_that_was_never_given_has_none(reader: FlaskClient, book_id: int) -> None:
    problem_of(reader.get(f"/api/v1/books/{book_id}/history"), 404)


def test_a_book_of_the_demonstration_has_a_history_until_the_first_scrape(
    app: Flask, client: FlaskClient
) -> None:
    (point,) = history(client, 1)
    assert (point["versao"], point["listado"]) == (1, True)
    publish(app, [make_scraped("a")])
    problem_of(client.get("/api/v1/books/1/history"), 404)
    assert brief(history(client, 0)) == [(10.0, 5, True)]


def test_an_id_of_the_demonstration_that_is_given_anew_begins_a_new_history(
    app: Flask, client: FlaskClient
) -> None:
    publish(app, [make_scraped("a")])
    publish(app, [make_scraped("a"), make_scraped("b", price="7.50")])
    assert brief(history(client, 1)) == [(7.5, 5, True)]


def test_a_history_is_made_once_a_publication(app: Flask, client: FlaskClient) -> None:
    publish(app, [make_scraped("a")])
    etag = client.get("/api/v1/books/0/history").headers["ETag"]
    place_order(client, (0, 1))
    unchanged = client.get("/api/v1/books/0/history", headers={"If-None-Match": etag})
    assert unchanged.status_code == 304
    publish(app, [make_scraped("a", price="11.00")])
    assert len(history(client, 0)) == 2


def test_a_long_history_keeps_its_newest_points(
    app: Flask, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(observations, "MAX_OBSERVATIONS", 3)
    for price in range(10, 16):
        publish(app, [make_scraped("a", price=f"{price}.00")])
    assert [point["preco_com_taxa"] for point in history(client, 0)] == [13.0, 14.0, 15.0]
