from __future__ import annotations

import re
from collections import Counter
from decimal import Decimal

from demo.site.books import SUBJECTS, make_books
from demo.site.topics import TOPICS, WITHOUT_SUBJECT
from demo.site.words import CATEGORIES

BOOKS = make_books()


def test_the_shop_has_a_thousand_books_in_fifty_categories() -> None:
    assert len(BOOKS) == 1000
    assert len(CATEGORIES) == 50
    assert {book.category for book in BOOKS} == set(CATEGORIES)


def test_numbers_upcs_and_paths_are_unique() -> None:
    assert len({book.number for book in BOOKS}) == len({book.upc for book in BOOKS}) == 1000
    assert len({book.path for book in BOOKS}) == 1000
    assert all(len(book.upc) == 16 and int(book.upc, 16) >= 0 for book in BOOKS)


def test_prices_stock_and_ratings_stay_in_range_and_use_it() -> None:
    assert all(Decimal("10.00") <= book.price_incl_tax <= Decimal("59.99") for book in BOOKS)
    assert {book.rating for book in BOOKS} == {1, 2, 3, 4, 5}
    assert {book.stock for book in BOOKS} == set(range(23))


def test_the_catalogue_has_what_scrapers_stumble_over() -> None:
    titles = Counter(book.title for book in BOOKS)
    assert max(map(len, titles)) > 204
    assert max(titles.values()) > 1
    assert sum(not book.description for book in BOOKS) == 2
    for character in ("é", "&", '"', "'"):
        assert any(character in title for title in titles)


def test_another_seed_makes_other_books() -> None:
    assert make_books(5, seed=1) != make_books(5, seed=2)


def test_a_description_speaks_of_its_category_more_than_of_others() -> None:
    own = other = 0
    for book in BOOKS:
        if book.category in WITHOUT_SUBJECT:
            continue
        words = set(re.findall(r"\w+", book.description.lower()))
        own += len(words & set(TOPICS[book.category]))
        stranger = SUBJECTS[(SUBJECTS.index(book.category) + 17) % len(SUBJECTS)]
        other += len(words & set(TOPICS[stranger]))
    assert own > 8 * other
    assert 2 < own / len(BOOKS) < 4, "enough to learn from, and not enough to be sure of"


def test_a_category_without_a_subject_borrows_those_of_others() -> None:
    without = [book for book in BOOKS if book.category in WITHOUT_SUBJECT]
    assert len(without) > 20
    assert set(SUBJECTS) | set(WITHOUT_SUBJECT) == set(CATEGORIES)
    for book in without:
        words = set(re.findall(r"\w+", book.description.lower()))
        assert any(words & set(topic) for topic in TOPICS.values())
