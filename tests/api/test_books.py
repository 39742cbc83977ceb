from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.api.conftest import publish
from tests.support.books import make_scraped
from tests.support.checks import fields_of, problem_of

LISTED = {"id", "titulo", "categoria", "preco_com_taxa", "preco_sem_taxa", "disponibilidade", "rating"}


def get(client: FlaskClient, path: str) -> Any:
    response = client.get(path)
    assert response.status_code == 200, response.get_json()
    return response.get_json()


def titles(client: FlaskClient, path: str) -> list[str]:
    return [book["titulo"] for book in get(client, path)]


def test_a_new_shop_shows_the_demonstration_whole(client: FlaskClient) -> None:
    answer = client.get("/api/v1/books")
    assert len(answer.get_json()) == 1000
    assert answer.headers["X-Total-Count"] == "1000"
    assert "Link" not in answer.headers


def test_a_listed_book_has_the_seeds_keys_and_its_id(reader: FlaskClient) -> None:
    books = get(reader, "/api/v1/books")
    assert books[0] == {
        "id": 0,
        "titulo": "A Light in the Attic",
        "categoria": "Poetry",
        "preco_com_taxa": 51.77,
        "preco_sem_taxa": 51.77,
        "disponibilidade": 22,
        "rating": 3,
    }
    assert [book["id"] for book in books] == [0, 1, 2, 3, 4, 5]


def test_the_book_of_an_id_has_its_image_too(reader: FlaskClient) -> None:
    book = get(reader, "/api/v1/books/3")
    assert set(book) == LISTED | {"url_imagem", "descricao", "upc", "url_produto"}
    assert book["titulo"] == "Tuesday Nights in 1980"
    assert book["url_imagem"] == "https://shop.invalid/nights.jpg"


@pytest.mark.parametrize("book_id", ["6", "888", "99999999999999999999999"])
def test_a_book_that_is_not_there_is_404(reader: FlaskClient, book_id: str) -> None:
    problem = problem_of(reader.get(f"/api/v1/books/{book_id}"), 404)
    assert problem["detail"] == "Livro não encontrado."


@pytest.mark.parametrize("book_id", ["-1", "1.0", "abc", "%F0%9F%98%80"])
def test_what_is_no_id_is_no_address(reader: FlaskClient, book_id: str) -> None:
    problem_of(reader.get(f"/api/v1/books/{book_id}"), 404)


def test_texts_travel_in_utf_8_without_escapes(reader: FlaskClient) -> None:
    assert "Ação & “Reação”".encode() in reader.get("/api/v1/books/4").data


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("titulo=acao", ["Ação & “Reação”"]),
        ("titulo=THE", ["A Light in the Attic", "Tipping the Velvet"]),
        ("categoria=Fiction", ["Tuesday Nights in 1980", "Ação & “Reação”"]),
        ("categoria=fict", ["Tipping the Velvet", "Tuesday Nights in 1980", "Ação & “Reação”"]),
        ("titulo=the&categoria=poetry", ["A Light in the Attic"]),
        ("titulo=Behind+Closed+Doors+Thriller&categoria=Thriller", ["Behind Closed Doors"]),
        ("titulo=.*", []),
        ("titulo=the&sort=rating&order=asc", ["Tipping the Velvet", "A Light in the Attic"]),
        ("titulo=the&page=2&per_page=1", ["Tipping the Velvet"]),
    ],
)
def test_a_search_finds_what_the_contract_says(reader: FlaskClient, query: str, expected: list[str]) -> None:
    assert titles(reader, f"/api/v1/books/search?{query}") == expected


def test_a_search_without_parameters_is_everything_in_detail(reader: FlaskClient) -> None:
    books = get(reader, "/api/v1/books/search")
    assert len(books) == 6
    assert set(books[0]) == LISTED | {"url_imagem"}


@pytest.mark.parametrize("field", ["titulo", "categoria", "title", "category"])
def test_a_search_text_is_bounded_and_plain(reader: FlaskClient, field: str) -> None:
    assert get(reader, f"/api/v1/books/search?{field}={'x' * 300}") == []
    assert fields_of(reader.get(f"/api/v1/books/search?{field}={'x' * 301}")) == {field}
    assert fields_of(reader.get(f"/api/v1/books/search?{field}=a%00b")) == {field}
    assert fields_of(reader.get(f"/api/v1/books/search?{field}=%FF%FE")) == {"query"}


@pytest.mark.parametrize(
    ("english", "portuguese"),
    [
        ("title=attic&category=poetry", "titulo=attic&categoria=poetry"),
        ("title=acao", "titulo=acao"),
        (
            "category=Fiction&sort=preco_com_taxa&order=desc",
            "categoria=Fiction&sort=preco_com_taxa&order=desc",
        ),
        ("title=Behind+Closed+Doors+Thriller&categoria=Thriller", "titulo=Behind Closed Doors"),
        ("title=attic&titulo=attic", "titulo=attic"),
        ("category=", "categoria="),
    ],
)
def test_a_search_by_the_assignments_names_is_the_same_search(
    reader: FlaskClient, english: str, portuguese: str
) -> None:
    found = get(reader, f"/api/v1/books/search?{english}")
    assert found
    assert found == get(reader, f"/api/v1/books/search?{portuguese}")


def test_the_pages_of_a_search_keep_the_names_that_it_was_asked_by(reader: FlaskClient) -> None:
    response = reader.get("/api/v1/books/search?category=Poetry&per_page=1")
    assert '</api/v1/books/search?category=Poetry&per_page=1&page=2>; rel="next"' in response.headers["Link"]


@pytest.mark.parametrize("query", ["title=a&titulo=b", "titulo=&title=b", "titulo=A&title=a"])
def test_one_thing_asked_for_in_two_ways_is_refused_by_both_names(reader: FlaskClient, query: str) -> None:
    errors = problem_of(reader.get(f"/api/v1/books/search?{query}"), 400)["errors"]
    messages = {error["field"]: error["message"] for error in errors}
    assert messages == {"title": "difere de titulo", "titulo": "difere de title"}


def test_both_contradictions_of_a_search_are_told_at_once(reader: FlaskClient) -> None:
    response = reader.get("/api/v1/books/search?title=a&titulo=b&category=c&categoria=d")
    assert fields_of(response) == {"title", "titulo", "category", "categoria"}


def test_the_document_has_both_names_of_what_a_search_asks_for(reader: FlaskClient) -> None:
    described = reader.get("/apispec_1.json").get_json()["paths"]["/api/v1/books/search"]["get"]["parameters"]
    assert {"titulo", "categoria", "title", "category"} <= {parameter["name"] for parameter in described}


@pytest.mark.parametrize(
    ("bounds", "expected"),
    [
        ("min=10&max=50", ["Tuesday Nights in 1980", "Ação & “Reação”", "Cheap"]),
        ("min=51.77&max=51.77", ["A Light in the Attic"]),
        ("min=0&max=1e400", None),
        ("min=1e-400&max=9.99", []),
        ("min=1e400&max=1e999", []),
        ("min=-0&max=10.00", ["Cheap"]),
    ],
)
def test_a_price_range_includes_its_bounds(
    reader: FlaskClient, bounds: str, expected: list[str] | None
) -> None:
    path = f"/api/v1/books/price-range?{bounds}"
    assert titles(reader, path) == (titles(reader, "/api/v1/books") if expected is None else expected)


def test_a_book_in_a_price_range_has_the_seeds_three_keys_and_its_id(reader: FlaskClient) -> None:
    books = get(reader, "/api/v1/books/price-range?min=0&max=100")
    assert set(books[0]) == {"id", "titulo", "categoria", "preco_com_taxa"}


@pytest.mark.parametrize(
    ("bounds", "wrong"),
    [
        ("", {"min", "max"}),
        ("min=1", {"max"}),
        ("max=1", {"min"}),
        ("min=&max=1", {"min"}),
        ("min=a&max=b", {"min", "max"}),
        ("min=-1&max=1", {"min"}),
        ("min=-0.001&max=1", {"min"}),
        ("min=nan&max=1", {"min"}),
        ("min=sNaN&max=1", {"min"}),
        ("min=1&max=inf", {"max"}),
        ("min=1&max=Infinity", {"max"}),
        ("min=1_0&max=20", {"min"}),
        ("min=1,5&max=20", {"min"}),
        ("min=%D9%A1&max=20", {"min"}),
        (f"min=1&max={'9' * 5000}", {"max"}),
        ("min=1e99999999999999999999&max=1e99999999999999999999", {"min", "max"}),
        ("min=2&max=1", {"min"}),
        ("min=1&min=1&max=2", {"min"}),
    ],
)
def test_a_price_range_that_makes_no_sense_is_refused(
    reader: FlaskClient, bounds: str, wrong: set[str]
) -> None:
    assert fields_of(reader.get(f"/api/v1/books/price-range?{bounds}")) == wrong


def test_top_rated_are_all_books_with_the_highest_rating_present(reader: FlaskClient) -> None:
    books = get(reader, "/api/v1/books/top-rated")
    assert [book["titulo"] for book in books] == ["Behind Closed Doors", "Tuesday Nights in 1980"]
    assert set(books[0]) == LISTED - {"disponibilidade"}


def test_categories_come_in_order_of_first_appearance(reader: FlaskClient) -> None:
    assert get(reader, "/api/v1/categories") == ["Poetry", "Historical Fiction", "Thriller", "Fiction"]


def test_the_overview_is_exact_and_counts_every_rating(reader: FlaskClient) -> None:
    overview = get(reader, "/api/v1/stats/overview")
    assert overview["total_livros"] == 6
    assert overview["preco_medio_com_taxa"] == overview["preco_medio_sem_taxa"] == 37.19  # 223.15 / 6
    assert overview["distribuicao_ratings"] == {"1": 2, "2": 1, "3": 1, "4": 2, "5": 0}


def test_category_statistics_come_by_name_and_round_half_up(app: Flask, client: FlaskClient) -> None:
    publish(
        app,
        [
            make_scraped("c", category="Travel", price="1.00"),
            make_scraped("a", category="Christian Fiction", price="34.38"),
            make_scraped("b", category="Christian Fiction", price="34.39"),
        ],
    )
    assert get(client, "/api/v1/stats/categories") == [
        {
            "categoria": "Christian Fiction",
            "quantidade_livros": 2,
            "preco_medio_com_taxa": 34.39,
            "preco_medio_sem_taxa": 34.39,
        },
        {
            "categoria": "Travel",
            "quantidade_livros": 1,
            "preco_medio_com_taxa": 1.0,
            "preco_medio_sem_taxa": 1.0,
        },
    ]
