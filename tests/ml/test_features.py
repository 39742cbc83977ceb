from __future__ import annotations

import json
from typing import Any

import pytest

from ml.features import (
    FeatureSet,
    check_training_rows,
    commonest,
    digest_of_rows,
    feature_names,
    has_extended,
    matrix,
)
from tests.support.training_books import make_books

BOOK = {
    "preco_com_taxa": 10,
    "preco_sem_taxa": 8.5,
    "disponibilidade": 1,
    "categoria": "Poetry",
    "titulo": "A Light in the Attic",
}


def test_the_basic_features_are_the_seeds_three() -> None:
    assert feature_names(FeatureSet.BASIC, ["Poetry"]) == [
        "preco_com_taxa",
        "preco_sem_taxa",
        "disponibilidade",
    ]
    assert matrix([BOOK], FeatureSet.BASIC, ["Poetry"]).tolist() == [[10, 8.5, 1]]


def test_the_extended_set_adds_the_title_and_a_column_for_each_category() -> None:
    names = feature_names(FeatureSet.EXTENDED, ["Fiction", "Poetry"])
    assert names[3:] == ["titulo_caracteres", "titulo_palavras", "categoria=Fiction", "categoria=Poetry"]
    assert matrix([BOOK], FeatureSet.EXTENDED, ["Fiction", "Poetry"]).tolist() == [[10, 8.5, 1, 20, 5, 0, 1]]


def test_an_unknown_category_has_0_in_every_column() -> None:
    assert matrix([BOOK], FeatureSet.EXTENDED, ["Fiction"]).tolist() == [[10, 8.5, 1, 20, 5, 0]]


@pytest.mark.parametrize("feature_set", list(FeatureSet))
def test_the_order_of_keys_never_matters(feature_set: FeatureSet) -> None:
    reversed_book = dict(reversed(BOOK.items()))
    assert (
        matrix([BOOK], feature_set, ["Poetry"]).tolist()
        == matrix([reversed_book], feature_set, ["Poetry"]).tolist()
    )


@pytest.mark.parametrize("feature_set", list(FeatureSet))
def test_no_rows_make_an_empty_matrix_of_the_right_width(feature_set: FeatureSet) -> None:
    assert matrix([], feature_set, ["Poetry"]).shape == (0, len(feature_names(feature_set, ["Poetry"])))


@pytest.mark.parametrize(("missing", "extended"), [((), True), (("titulo",), False), (("categoria",), False)])
def test_a_row_is_extended_when_it_brings_both_optional_features(
    missing: tuple[str, ...], extended: bool
) -> None:
    assert has_extended({name: value for name, value in BOOK.items() if name not in missing}) is extended


def test_of_equally_common_ratings_the_lowest_is_the_commonest() -> None:
    assert commonest({1: 3, 2: 7, 3: 7, 4: 0, 5: 1}) == 2


def test_the_digest_changes_with_any_value_and_with_the_order() -> None:
    books = make_books(3)
    digests = {
        digest_of_rows(books),
        digest_of_rows(books[::-1]),
        digest_of_rows([{**books[0], "rating": 9}, *books[1:]]),
    }
    assert len(digests) == 3
    assert digest_of_rows([dict(reversed(book.items())) for book in books]) == digest_of_rows(books)


@pytest.mark.parametrize(
    ("changes", "location"),
    [
        ({"preco_com_taxa": None}, "[1].preco_com_taxa"),
        ({"preco_sem_taxa": "8"}, "[1].preco_sem_taxa"),
        ({"disponibilidade": True}, "[1].disponibilidade"),
        ({"disponibilidade": -1}, "[1].disponibilidade"),
        ({"preco_com_taxa": float("nan")}, "[1].preco_com_taxa"),
        ({"preco_com_taxa": float("inf")}, "[1].preco_com_taxa"),
        ({"rating": 0}, "[1].rating"),
        ({"rating": 2.5}, "[1].rating"),
        ({"titulo": 7}, "[1].titulo"),
    ],
)
def test_unusable_training_data_are_refused_by_row_and_key(changes: dict[str, Any], location: str) -> None:
    books = make_books(2)
    with pytest.raises(ValueError, match=location.replace("[", r"\[").replace("]", r"\]")):
        check_training_rows([books[0], {**books[1], **changes}])


@pytest.mark.parametrize("data", [{}, [], ["book"], 7, None])
def test_anything_but_a_list_of_books_is_refused(data: Any) -> None:
    with pytest.raises(ValueError, match=r"lista de livros|deve ser um objeto"):
        check_training_rows(data)


def test_good_training_data_pass() -> None:
    books = make_books(3)
    assert check_training_rows(json.loads(json.dumps(books))) == books
