"""How the books that a search found are spread over categories, ratings and prices."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count

import numpy as np

from app.core.books import RATINGS
from app.core.catalogue_base import CatalogueBase, Positions, numbers

MAX_BANDS = 10
_STEPS = (1, 2, 5)


@dataclass(frozen=True, slots=True)
class PriceBand:
    """Books that cost from `low` to `high` pence with tax, both included."""

    low: int
    high: int
    books: int


@dataclass(frozen=True, slots=True)
class Facets:
    """`categories` are those that have books, the one with most first; `bands` are those of the whole catalogue."""

    categories: Sequence[tuple[str, int]]
    by_rating: dict[int, int]
    bands: Sequence[PriceBand]


def count_facets(base: CatalogueBase, found: Positions) -> Facets:
    """Count the books `found` in each facet; the counts of a facet add up to all of them."""
    columns = base.columns
    names = list(columns.categories)
    in_category = np.bincount(numbers(columns.category_codes)[found], minlength=len(names)).tolist()
    with_rating = np.bincount(numbers(columns.ratings)[found], minlength=max(RATINGS) + 1).tolist()
    categories = [(name, books) for name, books in zip(names, in_category, strict=True) if books]
    return Facets(
        sorted(categories, key=lambda category: (-category[1], category[0])),
        {rating: with_rating[rating] for rating in RATINGS},
        _bands(base, found),
    )


def _bands(base: CatalogueBase, found: Positions) -> list[PriceBand]:
    prices = numbers(base.columns.pence_incl_tax)
    if not len(prices):
        return []
    lowest, highest = int(prices.min()), int(prices.max())
    width = _width(lowest, highest)
    first = lowest // width
    books = np.bincount(prices[found] // width - first, minlength=highest // width - first + 1).tolist()
    return [
        PriceBand(number * width, (number + 1) * width - 1, inside)
        for number, inside in enumerate(books, first)
    ]


def _width(lowest: int, highest: int) -> int:
    """Return the least of 1, 2, 5, 10, 20 and so on pence by which at most MAX_BANDS bands hold all prices."""
    widths: Iterator[int] = (step * 10**power for power in count() for step in _STEPS)
    return next(width for width in widths if highest // width - lowest // width < MAX_BANDS)
