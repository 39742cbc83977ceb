from __future__ import annotations

import json

import pytest

from ml.drift import MIN_SEEN, WINDOW, Profile, Window
from tests.support.training_books import CATEGORIES, Book, make_books

TRAINING_DATA = make_books(1_000)
PROFILE = Profile.of(TRAINING_DATA)


def dearer(books: list[Book], pounds: float) -> list[Book]:
    return [{**book, "preco_com_taxa": book["preco_com_taxa"] + pounds} for book in books]


def test_inputs_like_the_training_data_have_not_drifted() -> None:
    window = Window(PROFILE)
    window.add(make_books(WINDOW, seed=1))
    assert all(0 <= index < 0.1 for index in window.indices().values())


def test_dearer_books_have_drifted_in_the_price_alone() -> None:
    window = Window(PROFILE)
    window.add(dearer(make_books(WINDOW, seed=1), 20))
    indices = window.indices()
    assert indices["preco_com_taxa"] > 0.25
    assert indices["preco_sem_taxa"] < 0.1
    assert indices["disponibilidade"] < 0.1


def test_the_index_is_the_sum_over_the_bins() -> None:
    """By hand: nine of ten deciles are empty, and so count as half a row of 200."""
    window = Window(PROFILE)
    window.add([{**TRAINING_DATA[0], "preco_com_taxa": 1_000.0}] * MIN_SEEN)
    floor = 0.5 / MIN_SEEN
    expected = (1 - 0.1) * 2.302585 + 9 * (floor - 0.1) * -3.688879
    assert window.indices()["preco_com_taxa"] == pytest.approx(expected, rel=0.01)


def test_a_few_inputs_give_no_index_yet() -> None:
    window = Window(PROFILE)
    window.add(dearer(make_books(MIN_SEEN - 1), 500))
    assert set(window.indices().values()) == {0.0}
    window.add(dearer(make_books(1), 500))
    assert window.indices()["preco_com_taxa"] > 1


def test_old_inputs_are_forgotten() -> None:
    window = Window(PROFILE)
    window.add(dearer(make_books(WINDOW), 500))
    for first in range(0, WINDOW, 100):
        window.add(make_books(100, seed=first + 1))
    assert window.indices()["preco_com_taxa"] < 0.1


def test_of_a_batch_larger_than_the_window_the_last_inputs_count() -> None:
    window = Window(PROFILE)
    window.add([*dearer(make_books(WINDOW), 500), *make_books(WINDOW, seed=1)])
    assert window.indices()["preco_com_taxa"] < 0.1


@pytest.mark.parametrize(
    ("changes", "features"),
    [
        ({}, []),
        ({"preco_com_taxa": 0.0}, []),
        ({"preco_com_taxa": 1_000.0}, ["preco_com_taxa"]),
        ({"preco_sem_taxa": 1_000.0, "disponibilidade": 500}, ["preco_sem_taxa", "disponibilidade"]),
        ({"categoria": "Never seen"}, ["categoria"]),
        ({"categoria": None}, []),
    ],
)
def test_values_beyond_the_outer_fences_are_out_of_distribution(changes: Book, features: list[str]) -> None:
    assert PROFILE.out_of_distribution({**TRAINING_DATA[0], **changes}) == features


def test_if_all_training_data_are_alike_everything_else_is_out_of_distribution() -> None:
    profile = Profile.of([{**book, "disponibilidade": 7} for book in TRAINING_DATA])
    assert profile.out_of_distribution({**TRAINING_DATA[0], "disponibilidade": 7}) == []
    assert profile.out_of_distribution({**TRAINING_DATA[0], "disponibilidade": 8}) == ["disponibilidade"]


def test_no_training_data_are_out_of_distribution() -> None:
    odd = [{**book, "disponibilidade": 0 if number % 5 else 40} for number, book in enumerate(TRAINING_DATA)]
    profile = Profile.of(odd)
    assert not any(profile.out_of_distribution(book) for book in odd)
    assert profile.out_of_distribution({**TRAINING_DATA[0], "disponibilidade": 41}) == ["disponibilidade"]


def test_a_profile_survives_its_json() -> None:
    assert Profile.from_json(json.loads(json.dumps(PROFILE.as_json())), CATEGORIES) == PROFILE
