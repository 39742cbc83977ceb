"""The prepared structures of a catalogue against the plainest way to say what they find."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.core.catalogue import SORT_COLUMNS, Book, Catalogue, fold
from app.core.errors import BookNotFound
from tests.support.books import PUBLICATION, make_book, make_catalogue

WORDS = [
    "a",
    "b",
    "ab",
    "ba",
    "Ação",
    "açaí",
    "straße",
    "Doors",
    "closed",
    "\u212b",
    "\u00a0",
    "\t",
    "“q”",
    "😀",
]
CATEGORIES = ["Fiction", "Science Fiction", "ficção", "Ab", "a"]
TEXTS = st.lists(st.sampled_from(WORDS), max_size=5).map(" ".join)
BOOKS = st.lists(
    st.builds(
        make_book,
        st.integers(0, 60),
        title=TEXTS,
        category=st.sampled_from(CATEGORIES),
        price_incl_tax=st.integers(0, 500).map(lambda pence: Decimal(pence).scaleb(-2)),
        price_excl_tax=st.integers(0, 10**10).map(lambda pence: Decimal(pence).scaleb(-2)),
        stock=st.integers(0, 5) | st.integers(0, 10**6),
        rating=st.integers(1, 5),
    ),
    max_size=30,
    unique_by=lambda book: book.id,
)
SORT_KEYS: dict[str, Callable[[Book], Any]] = {
    "id": lambda book: book.id,
    "titulo": lambda book: fold(book.title),
    "categoria": lambda book: fold(book.category),
    "preco_com_taxa": lambda book: book.price_incl_tax,
    "preco_sem_taxa": lambda book: book.price_excl_tax,
    "disponibilidade": lambda book: book.stock,
    "rating": lambda book: book.rating,
}


def search(books: list[Book], title: str, category: str) -> list[Book]:
    title, category = fold(title.strip()), fold(category.strip())

    def has_every_word(book: Book) -> bool:
        return all(word in fold(book.title) or word in fold(book.category) for word in title.split())

    found = [book for book in books if title in fold(book.title)] or list(filter(has_every_word, books))
    exact = category in [fold(book.category) for book in books]
    return [
        book
        for book in found
        if (category == fold(book.category) if exact else category in fold(book.category))
    ]


def in_order(books: list[Book], sort: str, *, descending: bool) -> list[Book]:
    # Python keeps equal books in their order, also where it sorts in reverse.
    return sorted(sorted(books, key=lambda book: book.id), key=SORT_KEYS[sort], reverse=descending)


def books_at(catalogue: Catalogue, positions: Iterable[int]) -> list[Book]:
    return [catalogue.book(catalogue.base.columns.ids[position]) for position in positions]


@settings(max_examples=60, deadline=None)
@given(books=BOOKS, title=TEXTS, category=st.sampled_from(["", *CATEGORIES, "fic", "none"]), data=st.data())
def test_every_selection_is_the_plain_one_before_and_after_sales(
    books: list[Book], title: str, category: str, data: st.DataObject
) -> None:
    catalogue = make_catalogue(*books)
    books = sorted(books, key=lambda book: book.id)
    low, high = sorted(data.draw(st.tuples(st.integers(0, 500), st.integers(0, 500))))
    bounds = Decimal(low).scaleb(-2), Decimal(high).scaleb(-2)
    for _ in range(3):
        assert [catalogue.book(book.id) for book in books] == books
        for sort in SORT_COLUMNS:
            for descending in (False, True):
                assert books_at(catalogue, catalogue.order(sort, descending=descending)) == in_order(
                    books, sort, descending=descending
                )
                found = catalogue.sort(catalogue.base.search(title, category), sort, descending=descending)
                expected = in_order(search(books, title, category), sort, descending=descending)
                assert books_at(catalogue, found) == expected
        in_range = [book for book in books if bounds[0] <= book.price_incl_tax <= bounds[1]]
        assert books_at(catalogue, catalogue.base.in_price_range(*bounds)) == in_range
        best = max((book.rating for book in books), default=0)
        assert books_at(catalogue, catalogue.base.top_rated) == [b for b in books if b.rating == best]
        scarcest = sorted(books, key=lambda book: (book.stock, book.id))[:7]
        assert catalogue.scarcest(7) == [book.id for book in scarcest]
        sold = data.draw(st.dictionaries(st.sampled_from(books), st.integers(0, 9))) if books else {}
        catalogue = catalogue.with_stocks({book.id: stock for book, stock in sold.items()}, PUBLICATION)
        books = [replace(book, stock=sold.get(book, book.stock)) for book in books]


@pytest.mark.parametrize("text", ["e", "ee", "ea", "zq", "tea", "e t", "e a t", "zz ee", "t" * 300, "q z"])
def test_a_search_over_many_blocks_of_titles_finds_the_plain_result(text: str) -> None:
    draw = random.Random(7)
    # Common and rare texts by turns, so that both ways through a block come to follow each other.
    alphabets = ("eat", "qz", "eatonhirsdlu qz")
    books = [
        make_book(number, title="".join(draw.choices(alphabets[number // 1500 % 3], k=12)))
        for number in range(6_000)
    ]
    catalogue = make_catalogue(*books)
    expected = [book.id for book in search(books, text, "")]
    assert catalogue.base.search(text, "").tolist() == expected
    assert catalogue.base.search(text, "").tolist() == expected  # from what is remembered


def test_titles_are_sorted_whole_although_a_call_sorts_a_part_of_them() -> None:
    draw = random.Random(7)
    books = [make_book(number, title=f"{draw.randrange(2_000)}") for number in range(9_000)]
    order = make_catalogue(*books).order("titulo").tolist()
    assert order == [book.id for book in in_order(books, "titulo", descending=False)]


def test_a_separator_in_a_title_harms_no_other_title() -> None:
    catalogue = make_catalogue(make_book(0, title="a\0b"), make_book(1, title="bc"))
    assert catalogue.base.search("c", "").tolist() == [1]
    assert catalogue.base.search("a\0b", "").tolist() == []


def test_an_older_snapshot_stays_what_it_was() -> None:
    before = make_catalogue(*(make_book(number, stock=number) for number in range(3_000)))
    after = before.with_stocks({5: 0, 2_999: 7}, replace(PUBLICATION, stock_version=1))
    assert (before.stock(5), before.stock(2_999), before.order("disponibilidade")[0]) == (5, 2_999, 0)
    assert (after.stock(5), after.stock(2_999), after.order("disponibilidade")[1]) == (0, 7, 5)
    assert (after.stock(6), after.publication.stock_version, before.publication.stock_version) == (6, 1, 0)
    assert after.base is before.base


def test_a_stock_of_a_book_that_is_not_on_sale_is_refused() -> None:
    with pytest.raises(BookNotFound):
        make_catalogue(make_book(1)).with_stocks({0: 1}, PUBLICATION)
