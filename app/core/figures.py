"""Figures over all books of a catalogue, exact: on whole pence."""

from __future__ import annotations

from collections import Counter

from app.core.book_columns import BookColumns
from app.core.books import RATINGS, CategorySummary, Overview, mean_price


def overview_of(columns: BookColumns) -> Overview:
    count = len(columns.ids)
    totals = (sum(pence) for pence in (columns.pence_incl_tax, columns.pence_excl_tax))
    incl, excl = (mean_price(total, count) if count else None for total in totals)
    ratings = Counter(columns.ratings)
    return Overview(count, incl, excl, {rating: ratings[rating] for rating in RATINGS})


def category_summaries_of(columns: BookColumns) -> tuple[CategorySummary, ...]:
    names = list(columns.categories)
    counts, totals_incl, totals_excl = ([0] * len(names) for _ in range(3))
    for code, incl, excl in zip(
        columns.category_codes, columns.pence_incl_tax, columns.pence_excl_tax, strict=True
    ):
        counts[code] += 1
        totals_incl[code] += incl
        totals_excl[code] += excl
    return tuple(
        CategorySummary(name, count, mean_price(incl, count), mean_price(excl, count))
        for name, count, incl, excl in sorted(zip(names, counts, totals_incl, totals_excl, strict=True))
    )
