from __future__ import annotations

from decimal import Decimal
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.catalogue import SORT_COLUMNS, Catalogue, mean_price
from app.core.errors import BookNotFound
from tests.support.books import make_book, make_catalogue


def ids(frame: pd.DataFrame) -> list[int]:
    listed: list[int] = frame["id"].tolist()
    return listed


def test_books_come_in_the_order_of_their_ids() -> None:
    catalogue = make_catalogue(make_book(7), make_book(0), make_book(3))
    assert ids(catalogue.books()) == [0, 3, 7]
    assert ids(catalogue.books(descending=True)) == [7, 3, 0]
    assert len(catalogue) == 3


def test_a_book_is_found_by_its_id_and_not_by_its_place() -> None:
    catalogue = make_catalogue(make_book(7, title="Seven"), make_book(0))
    assert catalogue.book(7).title == "Seven"
    for absent in (1, -1, 10**30):
        with pytest.raises(BookNotFound):
            catalogue.book(absent)


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        ("10", "50", [1, 2, 3]),
        ("10.00", "10.00", [1]),
        ("10.005", "50", [2, 3]),
        ("0", "9.999", [0]),
        ("9.99", "9.99", [0]),
        ("50", "50.01", [3, 4]),
        ("0", "1e400", [0, 1, 2, 3, 4]),
        ("1e400", "1e999999", []),
        ("1e-400", "1e-399", []),
        ("0", "1e-1000000", []),
        ("10.0000000000000000000000000000001", "49.99", [2]),
        ("10.01", "49.9999999999999999999999999999999", [2]),
    ],
)
def test_price_bounds_are_inclusive_and_exact(low: str, high: str, expected: list[int]) -> None:
    prices = ["9.99", "10.00", "30.00", "50.00", "50.01"]
    catalogue = make_catalogue(*(make_book(place, price=price) for place, price in enumerate(prices)))
    assert ids(catalogue.in_price_range(Decimal(low), Decimal(high))) == expected


def test_the_range_is_of_the_price_with_tax() -> None:
    catalogue = make_catalogue(make_book(0, price_excl_tax=Decimal(1), price_incl_tax=Decimal(2)))
    assert ids(catalogue.in_price_range(Decimal(2), Decimal(2))) == [0]
    assert ids(catalogue.in_price_range(Decimal(1), Decimal(1))) == []


def test_means_round_half_up_where_floats_round_down() -> None:
    assert round(34.385, 2) == 34.38
    assert mean_price(6_877, 2) == Decimal("34.39")
    catalogue = make_catalogue(make_book(0, price="34.38"), make_book(1, price="34.39"))
    assert catalogue.overview().mean_price_incl_tax == Decimal("34.39")
    assert catalogue.category_summaries()[0].mean_price_excl_tax == Decimal("34.39")


@given(st.lists(st.integers(0, 10**10), min_size=1, max_size=50))
def test_a_mean_is_off_by_half_a_penny_at_most_and_never_rounds_a_half_down(pence: list[int]) -> None:
    exact = Decimal(sum(pence)) / len(pence)
    rounded = mean_price(sum(pence), len(pence)) * 100
    assert rounded == rounded.to_integral_value()
    assert Decimal("-0.5") < rounded - exact <= Decimal("0.5")


@pytest.mark.parametrize("key", SORT_COLUMNS)
@pytest.mark.parametrize("descending", [False, True])
def test_equal_books_stay_in_the_order_of_their_ids(key: str, descending: bool) -> None:
    same = {"title": "Same"}
    catalogue = make_catalogue(*(make_book(place, **same) for place in (3, 1, 2)))
    expected = [3, 2, 1] if key == "id" and descending else [1, 2, 3]
    assert ids(catalogue.books(key, descending=descending)) == expected


@pytest.mark.parametrize(
    ("key", "values", "expected"),
    [
        ("titulo", {"title": ["beta", "Ábaco", "Zero", "alpha"]}, [1, 3, 0, 2]),
        ("categoria", {"category": ["b", "Ç", "A", "c"]}, [2, 0, 1, 3]),
        (
            "preco_com_taxa",
            {"price_incl_tax": [Decimal(p) for p in ("10", "9.99", "100", "10")]},
            [1, 0, 3, 2],
        ),
        (
            "preco_sem_taxa",
            {"price_excl_tax": [Decimal(p) for p in ("10", "9.99", "100", "10")]},
            [1, 0, 3, 2],
        ),
        ("disponibilidade", {"stock": [22, 3, 0, 3]}, [2, 1, 3, 0]),
        ("rating", {"rating": [5, 1, 5, 2]}, [1, 3, 0, 2]),
    ],
)
def test_books_are_sorted_by_each_key(key: str, values: dict[str, list[Any]], expected: list[int]) -> None:
    ((name, column),) = values.items()
    catalogue = make_catalogue(*(make_book(place, **{name: value}) for place, value in enumerate(column)))
    assert ids(catalogue.books(key)) == expected


def test_top_rated_are_all_that_have_the_highest_rating_present() -> None:
    catalogue = make_catalogue(
        *(make_book(place, rating=rating) for place, rating in enumerate((4, 2, 4, 1)))
    )
    assert ids(catalogue.top_rated()) == [0, 2]


def test_categories_come_in_order_of_first_appearance() -> None:
    names = ["Travel", "Art", "Travel", "Poetry", "Art"]
    catalogue = make_catalogue(*(make_book(place, category=name) for place, name in enumerate(names)))
    assert catalogue.categories() == ["Travel", "Art", "Poetry"]


def test_summaries_come_by_name_and_count_each_category() -> None:
    names = ["Travel", "Art", "Travel"]
    books = [make_book(place, category=name, price=f"{place + 1}.00") for place, name in enumerate(names)]
    summaries = make_catalogue(*books).category_summaries()
    assert [(s.category, s.books, s.mean_price_incl_tax) for s in summaries] == [
        ("Art", 1, Decimal("2.00")),
        ("Travel", 2, Decimal("2.00")),
    ]


def test_the_overview_counts_every_rating() -> None:
    overview = make_catalogue(
        make_book(0, rating=5), make_book(1, rating=5), make_book(2, rating=1)
    ).overview()
    assert overview.by_rating == {1: 1, 2: 0, 3: 0, 4: 0, 5: 2}
    assert overview.books == 3


def test_an_empty_catalogue_answers_everything_with_nothing() -> None:
    empty = make_catalogue()
    assert len(empty) == 0
    assert ids(empty.books("titulo", descending=True)) == ids(empty.top_rated()) == []
    assert ids(empty.in_price_range(Decimal(0), Decimal(9))) == []
    assert empty.categories() == []
    assert empty.category_summaries() == []
    assert empty.overview().mean_price_incl_tax is None
    assert set(empty.overview().by_rating.values()) == {0}


@pytest.mark.parametrize("answer", ["books", "books_descending", "search", "in_price_range", "top_rated"])
def test_what_a_caller_does_to_an_answer_never_reaches_the_snapshot(answer: str) -> None:
    catalogue = make_catalogue(make_book(0), make_book(1))
    frame = _ask(catalogue, answer)
    frame.loc[:, "title"] = "defaced"
    frame["stock"] = -1
    assert catalogue.books()["title"].tolist() == ["Book 0", "Book 1"]
    assert catalogue.books()["stock"].tolist() == [5, 5]


def test_a_list_of_categories_can_be_changed_by_its_caller() -> None:
    catalogue = make_catalogue(make_book(0))
    catalogue.categories().clear()
    assert catalogue.categories() == ["Fiction"]


def _ask(catalogue: Catalogue, answer: str) -> pd.DataFrame:
    return {
        "books": lambda: catalogue.books(),
        "books_descending": lambda: catalogue.books(descending=True),
        "search": lambda: catalogue.search(),
        "in_price_range": lambda: catalogue.in_price_range(Decimal(0), Decimal(100)),
        "top_rated": lambda: catalogue.top_rated(),
    }[answer]()
