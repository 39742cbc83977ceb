from __future__ import annotations

import random
from dataclasses import replace

import numpy as np
import pytest

from ml import categories
from ml.categories import CANDIDATES, MIN_PRECISION, Promise, assess_promise, calibrate, learn
from ml.compare import FOLDS, REPEATS
from ml.text_card import categories_card
from ml.texts import Texts, count_words
from ml.train_texts import train_on
from tests.support.training_texts import make_book_texts, text_of

BOOKS = 160
SHUFFLES = 10


def texts_of(*, signal: bool, count: int = BOOKS) -> Texts:
    return count_words(text_of(*pair) for pair in enumerate(make_book_texts(count, signal=signal)))


@pytest.fixture(scope="module")
def telling() -> Texts:
    return texts_of(signal=True)


def test_a_signal_proposes_the_right_category_for_books_without_one_and_for_no_other(telling: Texts) -> None:
    found = learn(telling)
    books = make_book_texts(BOOKS)
    without = {number for number, book in enumerate(books) if book.category == "Default"}
    assert found.suggestions.keys() <= without
    assert len(found.suggestions) > len(without) / 2
    for book_id, suggestion in found.suggestions.items():
        assert suggestion.category == books[book_id].title.split()[0]
        assert MIN_PRECISION <= suggestion.certainty <= categories.MAX_CERTAINTY


def test_texts_that_say_nothing_promote_no_candidate_and_propose_nothing() -> None:
    found = learn(texts_of(signal=False))
    assert (found.chosen, found.suggestions) == (None, {})
    assert len(found.comparisons) == len(CANDIDATES)
    card = categories_card(found)
    assert (card["veredito"], card["escolhido"], card["propostas"]) == ("linha-de-base", None, 0)
    assert card["frase"].startswith("Nenhum candidato supera responder sempre a categoria mais comum")


def test_with_shuffled_categories_nothing_is_promoted(telling: Texts) -> None:
    """benchmarks/categories.py does so for a hundred seeds, and on the real shop's texts."""
    for seed in range(SHUFFLES):
        shuffled = [*telling.categories]
        random.Random(seed).shuffle(shuffled)
        assert learn(replace(telling, categories=shuffled)).chosen is None


def test_the_baseline_is_the_share_of_the_commonest_category(telling: Texts) -> None:
    found = learn(telling)
    known = [name for name in telling.categories if name != "Default"]
    assert found.books == len(known)
    assert found.commonest == max(sorted({*known}), key=known.count)
    assert found.baseline.mean == pytest.approx(known.count(str(found.commonest)) / len(known), abs=0.02)


@pytest.mark.parametrize("count", [0, 1, categories.MIN_TEXTS - 1])
def test_too_few_books_are_not_compared_and_the_card_says_so(count: int) -> None:
    found = learn(texts_of(signal=True, count=count))
    assert (found.comparisons, found.suggestions) == ([], {})
    assert categories_card(found)["frase"].startswith("Dados insuficientes")


def test_books_of_one_category_and_of_as_many_as_books_are_not_compared(telling: Texts) -> None:
    for names in (["Poetry"] * BOOKS, [f"Category {number}" for number in range(BOOKS)], ["Default"] * BOOKS):
        assert learn(replace(telling, categories=names)).comparisons == []


def test_two_categories_are_enough(telling: Texts) -> None:
    names = ["Travel" if name == "Cooking" else name for name in telling.categories]
    assert learn(replace(telling, categories=names)).chosen is not None


def test_a_large_catalogue_is_learnt_from_a_sample_of_its_commonest_categories(
    telling: Texts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(categories, "MAX_TEXTS", 60)
    monkeypatch.setattr(categories, "MAX_CATEGORIES", 2)
    learnt = categories._learnt(telling.categories)
    assert len(learnt) == 60
    assert len({telling.categories[position] for position in learnt}) == 2


def test_certainty_is_the_share_of_those_as_sure_that_are_right() -> None:
    random = np.random.default_rng(0)
    margins = random.uniform(-4, 4, 20_000)
    right = random.random(len(margins)) < 1 / (1 + np.exp(-margins))
    certainty = calibrate(margins, right)
    assert certainty(np.array([-2.0, 0.0, 2.0])) == pytest.approx([0.119, 0.5, 0.881], abs=0.02)


@pytest.mark.parametrize("right", [np.zeros(30, np.bool_), np.ones(30, np.bool_)])
def test_nothing_is_ever_certain(right: np.ndarray) -> None:
    certainty = calibrate(np.linspace(0, 1, 30), right)(np.array([0.0, 1.0, 100.0]))
    assert np.all((certainty > 0) & (certainty <= categories.MAX_CERTAINTY))


def splits_of(margins: np.ndarray, right: np.ndarray) -> tuple[list[np.ndarray], list[np.ndarray]]:
    return np.array_split(margins, FOLDS) * REPEATS, np.array_split(right, FOLDS) * REPEATS


def test_a_promise_counts_only_books_that_its_calibration_did_not_see() -> None:
    random = np.random.default_rng(1)
    margins = random.uniform(0, 4, 1_000)
    right = random.random(len(margins)) < 1 / (1 + np.exp(2 - margins * 1.5))
    promise = assess_promise(*splits_of(margins, right))
    assert promise.kept
    assert promise.least_precision < promise.precision
    assert promise.precision == pytest.approx(0.92, abs=0.04)
    assert promise.coverage == pytest.approx(0.43, abs=0.06)


def test_repeating_the_same_books_makes_a_promise_no_surer() -> None:
    margins = np.linspace(0, 4, 50)
    right = margins > 1
    promise = assess_promise(*splits_of(margins, right))
    once = assess_promise(np.array_split(margins, FOLDS), np.array_split(right, FOLDS))
    assert promise.least_precision == pytest.approx(once.least_precision)


def test_margins_that_say_nothing_promise_nothing() -> None:
    random = np.random.default_rng(2)
    promise = assess_promise(*splits_of(random.uniform(0, 1, 500), random.random(500) < 0.5))
    assert not promise.kept


def test_the_same_texts_make_the_same_bytes_and_the_same_card(telling: Texts) -> None:
    one, other = train_on(telling), train_on(telling)
    assert (one.content, one.card) == (other.content, other.card)
    assert "são da mesma categoria" in one.card["semelhanca"]["frase"]
    assert "Só propõe categoria com 80% de certeza" in one.card["categorias_sugeridas"]["frase"]


def test_a_candidate_that_is_not_sure_enough_proposes_nothing_and_the_card_says_so(
    telling: Texts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(categories, "assess_promise", lambda *_: Promise(0.9, MIN_PRECISION - 0.01, 0.1))
    found = learn(telling)
    assert found.chosen is not None
    assert found.suggestions == {}
    assert "não se propõe nenhuma" in categories_card(found)["frase"]
