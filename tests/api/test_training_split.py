"""The split of the training data."""

from __future__ import annotations

import json
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.core.catalogue import Catalogue
from app.shop import Shop
from tests.api.conftest import publish
from tests.support.books import make_scraped
from tests.support.checks import fields_of, problem_of

TRAINING = "/api/v1/ml/training-data"


def side(client: FlaskClient, name: str, more: str = "") -> list[dict[str, Any]]:
    books: list[dict[str, Any]] = client.get(f"{TRAINING}?divisao={name}{more}").get_json()
    return books


def titles(books: list[dict[str, Any]]) -> list[str]:
    return [json.dumps(book) for book in books]


def test_the_data_are_what_the_training_reads(client: FlaskClient, shop: Shop) -> None:
    expected = json.dumps(shop.catalogue.current().training_rows(), ensure_ascii=False, separators=(",", ":"))
    for path in (TRAINING, "/api/v1/ml/features"):
        assert client.get(path).text == expected


@pytest.mark.parametrize("seed", range(40))
def test_the_two_sides_share_no_book_and_together_are_everything(client: FlaskClient, seed: int) -> None:
    share = (seed % 9 + 1) / 10
    query = f"&semente={seed}&fracao={share}"
    training, testing = titles(side(client, "treino", query)), titles(side(client, "teste", query))
    everything = titles(client.get(TRAINING).get_json())
    assert sorted(training + testing) == sorted(everything)
    assert [book for book in everything if book in {*training}] == training
    assert abs(len(testing) / len(everything) - share) < 0.065  # four standard deviations of 1,000 books


def test_a_split_can_be_had_again_and_another_seed_gives_another(client: FlaskClient) -> None:
    assert side(client, "teste") == side(client, "teste", "&semente=0&fracao=0.25")
    assert side(client, "teste", "&semente=1") != side(client, "teste")
    assert client.get("/api/v1/ml/features?divisao=teste").get_json() == side(client, "teste")


def test_a_book_stays_on_its_side_when_others_come_and_go(app: Flask, client: FlaskClient) -> None:
    books = [make_scraped(f"b{number}") for number in range(60)]
    publish(app, books)
    before = {name: {*titles(side(client, name))} for name in ("treino", "teste")}
    publish(app, [*books[20:], *(make_scraped(f"n{number}", title=f"New {number}") for number in range(60))])
    for name, was in before.items():
        now = {*titles(side(client, name))}
        assert {book for book in was if book in now} == {
            book for book in was if int(json.loads(book)["titulo"].removeprefix("Book b")) >= 20
        }


@pytest.mark.parametrize(
    ("query", "wrong"),
    [
        ("divisao=", {"divisao"}),
        ("divisao=train", {"divisao"}),
        ("divisao=Treino", {"divisao"}),
        ("divisao=treino&divisao=teste", {"divisao"}),
        ("fracao=0.5", {"fracao"}),
        ("semente=1", {"semente"}),
        ("fracao=0.5&semente=1", {"fracao", "semente"}),
        *(
            (f"divisao=teste&fracao={value}", {"fracao"})
            for value in ("", "0", "1", "-0.1", "1.1", "NaN", "inf", "1e400", "x", "0,5", "٠.٥", "9" * 500)
        ),
        *(
            (f"divisao=teste&semente={value}", {"semente"})
            for value in ("", "-1", "1.0", "4294967296", "x", "9" * 500)
        ),
        ("divisao=x&fracao=2&semente=-1", {"divisao", "fracao", "semente"}),
    ],
)
def test_a_split_that_makes_no_sense_is_refused(reader: FlaskClient, query: str, wrong: set[str]) -> None:
    assert fields_of(reader.get(f"{TRAINING}?{query}")) == wrong


def test_a_share_without_a_side_is_told_what_it_lacks(reader: FlaskClient) -> None:
    problem = problem_of(reader.get(f"{TRAINING}?fracao=0.5"), 400)
    assert problem["errors"] == [{"field": "fracao", "message": "exige divisao"}]
    problem = problem_of(reader.get(f"{TRAINING}?divisao=teste&seed=1"), 400)
    [error] = problem["errors"]
    assert error["field"] == "seed"
    assert "semente" in error["message"]


def test_an_empty_catalogue_has_two_empty_sides(
    client: FlaskClient, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    empty = Catalogue((), shop.catalogue.current().publication)
    monkeypatch.setattr(shop.catalogue, "current", lambda: empty)
    assert side(client, "treino") == side(client, "teste") == client.get(TRAINING).get_json() == []
