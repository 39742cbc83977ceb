from __future__ import annotations

import hashlib
import math
from decimal import Decimal
from itertools import pairwise

import pytest

from app.core.split import is_test_book

QUARTER = Decimal("0.25")


def test_books_were_dealt_like_this_when_the_split_was_made() -> None:
    """On every platform and version of Python: a book that changes sides spoils every comparison of models."""
    assert [book for book in range(30) if is_test_book(book, 0, QUARTER)] == [7, 15, 18, 20, 25]
    assert [book for book in range(30) if is_test_book(book, 42, QUARTER)] == [1, 13, 20, 21, 29]


@pytest.mark.parametrize("seed", range(100))
@pytest.mark.parametrize("share", ["0.1", "0.25", "0.5"])
def test_about_the_share_asked_for_is_tested_with(seed: int, share: str) -> None:
    """Within four standard deviations of drawing each book by itself."""
    books, wanted = 2_000, float(share)
    tested = sum(is_test_book(book, seed, Decimal(share)) for book in range(books))
    assert abs(tested / books - wanted) < 4 * math.sqrt(wanted * (1 - wanted) / books)


def test_a_larger_share_only_adds_books() -> None:
    tested = [{book for book in range(500) if is_test_book(book, 7, Decimal(n) / 10)} for n in range(1, 10)]
    assert all(smaller < larger for smaller, larger in pairwise(tested))


def test_seeds_are_independent() -> None:
    splits = [[is_test_book(book, seed, Decimal("0.5")) for book in range(2_000)] for seed in (0, 1)]
    agreeing = sum(one == other for one, other in zip(*splits, strict=True))
    assert abs(agreeing / 2_000 - 0.5) < 0.05


def test_the_rule_is_the_documented_one() -> None:
    for book in range(200):
        place = int(hashlib.sha256(f"42:{book}".encode()).hexdigest()[:16], 16)
        assert is_test_book(book, 42, QUARTER) is (place / 2**64 < 0.25)


@pytest.mark.parametrize("share", ["1e-40", "0.0000000000000000000000000000000000001", "1e-9999"])
def test_a_share_of_next_to_nothing_is_nothing(share: str) -> None:
    assert not any(is_test_book(book, 0, Decimal(share)) for book in range(100))


@pytest.mark.parametrize("share", ["0.9999999999999999999", "0." + "9" * 38])
def test_a_share_of_next_to_all_is_all(share: str) -> None:
    assert all(is_test_book(book, 0, Decimal(share)) for book in range(100))
