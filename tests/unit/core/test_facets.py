from __future__ import annotations

from collections import Counter
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.catalogue import Catalogue
from app.core.facets import MAX_BANDS, PriceBand, count_facets
from tests.support.books import make_book, make_catalogue

BOOKS = st.lists(
    st.tuples(st.sampled_from(["Fiction", "Art", "Ação"]), st.integers(1, 5), st.integers(0, 10**7)),
    max_size=30,
)


def make_shelf(*books: tuple[str, int, int]) -> Catalogue:
    return make_catalogue(
        *(
            make_book(number, category=category, rating=rating, price_incl_tax=Decimal(pence).scaleb(-2))
            for number, (category, rating, pence) in enumerate(books)
        )
    )


@given(BOOKS, st.data())
def test_each_facet_counts_every_book_that_was_found_once(
    books: list[tuple[str, int, int]], data: st.DataObject
) -> None:
    places = st.lists(st.sampled_from(range(len(books))), unique=True) if books else st.just([])
    found: list[int] = data.draw(places)
    facets = count_facets(make_shelf(*books).base, np.array(found, dtype=np.int32))
    categories = Counter(books[place][0] for place in found)
    assert dict(facets.categories) == categories
    assert list(facets.categories) == sorted(categories.items(), key=lambda item: (-item[1], item[0]))
    ratings = Counter(books[place][1] for place in found)
    assert facets.by_rating == {rating: ratings[rating] for rating in range(1, 6)}
    for band in facets.bands:
        assert band.books == sum(band.low <= books[place][2] <= band.high for place in found)
    assert sum(band.books for band in facets.bands) == (len(found) if books else 0)
    assert len(facets.bands) <= MAX_BANDS


@pytest.mark.parametrize(
    ("pence", "bounds"),
    [
        ([1000, 5999], [(low, low + 499) for low in range(1000, 6000, 500)]),
        ([777], [(777, 777)]),
        ([0, 9], [(cent, cent) for cent in range(10)]),
        ([0, 10], [(cent, cent + 1) for cent in range(0, 12, 2)]),
        ([95, 10_005], [(low, low + 1_999) for low in range(0, 11_000, 2_000)]),
    ],
)
def test_the_bands_of_a_catalogue_are_round_and_at_most_ten(
    pence: list[int], bounds: list[tuple[int, int]]
) -> None:
    base = make_shelf(*(("Art", 3, price) for price in pence)).base
    bands = count_facets(base, np.array([], dtype=np.int32)).bands
    assert bands == [PriceBand(low, high, 0) for low, high in bounds]
