from __future__ import annotations

import random
from dataclasses import replace

import numpy as np
import pytest

from ml import likeness
from ml.likeness import FLOOR, assess, find_neighbours
from ml.text_model import MAX_NEIGHBOURS, Neighbours
from ml.texts import Texts, count_words
from tests.support.training_texts import make_book_texts, text_of

BOOKS = 120
SHUFFLES = 20


def texts_of(*, signal: bool, count: int = BOOKS) -> Texts:
    return count_words(text_of(*pair) for pair in enumerate(make_book_texts(count, signal=signal)))


@pytest.fixture(scope="module")
def alike() -> Texts:
    return texts_of(signal=True)


@pytest.fixture(scope="module")
def neighbours(alike: Texts) -> Neighbours:
    return find_neighbours(alike)


def test_neighbours_are_others_best_first_and_above_the_floor(alike: Texts, neighbours: Neighbours) -> None:
    for position, (ids, similarities) in enumerate(zip(neighbours.ids, neighbours.similarities, strict=True)):
        used = ids >= 0
        assert alike.ids[position] not in ids
        assert len({*ids[used]}) == used.sum() <= MAX_NEIGHBOURS
        assert np.all(np.diff(similarities[used]) <= 0)
        assert np.all((similarities[used] >= FLOOR) & (similarities[used] <= 1))


def test_the_reasons_are_words_of_both_books(alike: Texts, neighbours: Neighbours) -> None:
    words_of = [set(alike.counts[position].indices.tolist()) for position in range(BOOKS)]
    for book, (ids, reasons) in enumerate(zip(neighbours.ids, neighbours.words, strict=True)):
        for other, words in zip(ids, reasons, strict=True):
            shown = set(words[words >= 0].tolist())
            assert bool(shown) == (other >= 0)
            assert shown <= words_of[book] & words_of[other]


def test_books_of_the_same_text_are_wholly_alike() -> None:
    texts = [{"id": n, "titulo": "Twin tale", "categoria": "A", "descricao": ""} for n in (0, 1)]
    texts += [
        {"id": n, "titulo": f"other{chr(95 + n)}", "categoria": "B", "descricao": ""} for n in range(2, 9)
    ]
    found = find_neighbours(count_words(texts))
    assert found.ids[:2, 0].tolist() == [1, 0]
    assert found.similarities[0, 0] == pytest.approx(1)
    assert np.all(found.ids[2:] == -1)


def test_the_blocks_of_a_large_catalogue_find_what_one_block_finds(
    alike: Texts, neighbours: Neighbours, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(likeness, "_PAIRS_AT_ONCE", 7 * BOOKS)
    again = find_neighbours(alike)
    assert np.array_equal(again.ids, neighbours.ids)
    assert np.array_equal(again.words, neighbours.words)


def test_of_too_many_comparisons_the_commonest_words_are_left_out(
    alike: Texts, monkeypatch: pytest.MonkeyPatch
) -> None:
    books = np.bincount(alike.counts.indices, minlength=len(alike.words))
    budget = int(np.sort(books**2)[:5].sum())
    monkeypatch.setattr(likeness, "MAX_PRODUCTS", budget)
    kept = likeness._affordable(alike.counts)
    assert len(kept) == 5
    assert books[kept].max() <= np.sort(books)[5]


def test_a_signal_is_found_and_stated_beside_chance(alike: Texts, neighbours: Neighbours) -> None:
    found = assess(alike, neighbours)
    assert found.promoted
    assert found.share > 0.6
    assert found.chance == pytest.approx(1 / 3, abs=0.05)
    assert found.books == sum(name != "Default" for name in alike.categories)


def test_texts_that_say_nothing_find_nothing() -> None:
    texts = texts_of(signal=False)
    found = assess(texts, find_neighbours(texts))
    assert not found.promoted
    assert found.with_neighbours > 0, "else nothing was tested"


def test_with_shuffled_categories_nothing_is_promoted(alike: Texts, neighbours: Neighbours) -> None:
    """benchmarks/categories.py does so for a hundred seeds, and on the real shop's texts."""
    for seed in range(SHUFFLES):
        categories = [*alike.categories]
        random.Random(seed).shuffle(categories)
        assert not assess(replace(alike, categories=categories), neighbours).promoted


@pytest.mark.parametrize("count", [0, 1, 2])
def test_few_books_are_no_error(count: int) -> None:
    texts = texts_of(signal=True, count=count)
    assert not assess(texts, find_neighbours(texts)).promoted
