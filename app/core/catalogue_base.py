"""What a publication fixes about the books on sale, held in pandas, with the structures that answer for it."""

from __future__ import annotations

from bisect import bisect_left
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from app.core.book_columns import BookColumns
from app.core.books import RATINGS, SORT_COLUMNS, CategorySummary, Overview, fold, mean_price, whole_pence
from app.core.errors import BookNotFound
from app.core.near_search import NearSearch
from app.core.ranks import ranks
from app.core.recent import RecentResults
from app.core.title_search import TitleSearch

Positions = NDArray[np.int32]
"""Places of books in the order of ids, from 0 on; never changed."""
_MAX_SEARCHES = 64
_MAX_COMMON_WORDS = 64
_COMMON = 16
"""One title of so many has a common word, which other searches will have too."""
_FEW = 8
"""Of so many books, one may be asked by itself rather than all together."""


class CatalogueBase:
    """Everything that one publication fixes about the books on sale: all but their stocks.

    The snapshots of that publication share it. It is immutable, so any number of threads read it without a lock; what
    is costly is made when first asked for, at worst by two threads at once. `frame` has the columns `id`, `title`,
    `category`, `pence_incl_tax`, `pence_excl_tax`, `rating` and `image_url`; prices are whole pence. `columns` are the
    same memory, from which one value is had a hundred times as fast.
    """

    def __init__(self, columns: BookColumns) -> None:
        """`columns` belong to the base from now on."""
        self.columns = columns
        self._categories = tuple(columns.categories)
        self._category_codes = numbers(columns.category_codes)
        self._pence_incl_tax = numbers(columns.pence_incl_tax)
        self._folded_categories = [fold(name) for name in self._categories]
        self._orders: dict[tuple[str, bool], Positions] = {}
        self._searches: RecentResults[tuple[str, str], Positions] = RecentResults(
            _MAX_SEARCHES, max_items=4 * len(columns.ids)
        )
        self._common_words: RecentResults[str, bytes] = RecentResults(
            _MAX_COMMON_WORDS, max_items=_MAX_COMMON_WORDS * len(columns.ids)
        )

    def prepare(self) -> None:
        """Make now what searches and frames need, so that no reader has to wait for it."""
        _ = self.frame, self._title_search

    def __len__(self) -> int:
        return len(self.columns.ids)

    @cached_property
    def frame(self) -> pd.DataFrame:
        return _frame(self.columns)

    def find(self, book_id: int) -> int | None:
        """Return the position of the book with that id, if it is on sale."""
        ids = self.columns.ids
        position = bisect_left(ids, book_id)
        return position if position < len(ids) and ids[position] == book_id else None

    def position(self, book_id: int) -> int:
        """Return the position of the book with that id. Raises BookNotFound."""
        position = self.find(book_id)
        if position is None:
            raise BookNotFound
        return position

    def category(self, position: int) -> str:
        return self._categories[self.columns.category_codes[position]]

    def text(self, position: int) -> tuple[str, str, int, str]:
        """Return the title, category, rating and URL of the image of a book."""
        columns = self.columns
        return (
            columns.titles[position],
            self._categories[columns.category_codes[position]],
            columns.ratings[position],
            columns.image_urls[position],
        )

    def order(self, sort: str, *, descending: bool) -> Positions:
        """Return all books by a key of SORT_COLUMNS other than the stock; ties stay in the order of ids."""
        known = self._orders.get((sort, descending))
        if known is None:
            known = self._orders[sort, descending] = order_of(self._sort_keys(sort), descending=descending)
        return known

    def search(self, title: str, category: str) -> Positions:
        """Return what `Catalogue.search` describes, in the order of ids."""
        asked = fold(title.strip()), fold(category.strip())
        found = self._searches.get(asked)
        if found is None:
            found = _positions(self._with_title(asked[0]) & self._in_category(asked[1]))
            self._searches.add(asked, found)
        return found

    def search_near(self, title: str, category: str) -> Positions:
        """Return what is near to a search that finds nothing, best first.

        A category that there is not is read as the nearest one, all of whose books with `title` are found; where
        it has none, as in a category that there is, the titles near to `title` are, up to MAX_NEAR.
        """
        title, category = fold(title.strip()), fold(category.strip())
        in_category = self._in_category(category)
        if not in_category.any():
            code = self._near_search.category(category)
            if code is None:
                return np.empty(0, np.int32)
            in_category = self._category_codes == code
            found = _positions(self._with_title(title) & in_category)
            if len(found):
                return found
        return self._near_search.titles(title, in_category)

    def in_price_range(self, low: Decimal, high: Decimal) -> Positions:
        """Return the books that cost from `low` to `high` pounds with tax, both included, in the order of ids."""
        first, last = whole_pence(low, ROUND_CEILING), whole_pence(high, ROUND_FLOOR)
        return _positions((self._pence_incl_tax >= first) & (self._pence_incl_tax <= last))

    @cached_property
    def top_rated(self) -> Positions:
        ratings = numbers(self.columns.ratings)
        return _positions(ratings == ratings.max(initial=0))

    @cached_property
    def overview(self) -> Overview:
        count, columns = len(self), self.columns
        totals = (sum(pence) for pence in (columns.pence_incl_tax, columns.pence_excl_tax))
        incl, excl = (mean_price(total, count) if count else None for total in totals)
        ratings = columns.ratings
        return Overview(count, incl, excl, {rating: ratings.count(rating) for rating in RATINGS})

    @cached_property
    def category_summaries(self) -> tuple[CategorySummary, ...]:
        """A summary of every category, by name."""
        codes, columns = self._category_codes, self.columns
        counts = np.bincount(codes, minlength=len(self._categories)).tolist()
        incl, excl = (
            # Sums of floats, which are exact: all pence of a catalogue are far fewer than 2 ** 53.
            np.bincount(codes, weights=numbers(pence), minlength=len(counts)).astype(np.int64).tolist()
            for pence in (columns.pence_incl_tax, columns.pence_excl_tax)
        )
        rows = zip(self._categories, counts, incl, excl, strict=True)
        return tuple(
            CategorySummary(name, count, mean_price(incl, count), mean_price(excl, count))
            for name, count, incl, excl in sorted(rows)
        )

    @cached_property
    def _near_search(self) -> NearSearch:
        return NearSearch(self._folded_titles, self.columns.category_codes, self._folded_categories)

    def _sort_keys(self, sort: str) -> NDArray[Any]:
        if sort == "titulo":
            return self._title_ranks
        if sort == "categoria":
            keys: NDArray[Any] = numbers(ranks(self._folded_categories))[self._category_codes]
            return keys
        return numbers(getattr(self.columns, SORT_COLUMNS[sort]))

    @cached_property
    def _folded_titles(self) -> list[str]:
        return [fold(title) for title in self.columns.titles]

    @cached_property
    def _title_search(self) -> TitleSearch:
        return TitleSearch(self._folded_titles)

    @cached_property
    def _title_ranks(self) -> NDArray[Any]:
        return numbers(ranks(self._folded_titles))

    def _with_title(self, text: str) -> NDArray[np.bool_]:
        if not text:
            return np.ones(len(self), dtype=np.bool_)
        words = sorted(set(text.split()), key=len, reverse=True)  # the longest leaves the fewest
        if words == [text]:
            found = self._marks(text)
            return found if found.any() else self._in_named(text)
        found = np.ones(len(self), dtype=np.bool_)
        for word in words:
            found = self._with_word(word, found)
        # A title that holds the whole text holds all its words, so it is among these.
        whole = [place for place in np.flatnonzero(found).tolist() if text in self._folded_titles[place]]
        if whole:
            found[:] = False
            found[whole] = True
        return found

    def _with_word(self, word: str, candidates: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Return the candidates that have `word` in the title or the category."""
        places = np.flatnonzero(candidates)
        found: NDArray[np.bool_] = candidates & self._in_named(word)
        if len(places) * _FEW > len(self) or word in self._common_words:
            return found | candidates & self._marks(word)
        found[[place for place in places.tolist() if word in self._folded_titles[place]]] = True
        return found

    def _marks(self, word: str) -> NDArray[np.bool_]:
        """Return the titles that contain `word`."""
        marks = self._common_words.get(word)
        if marks is None:
            marks = self._title_search.matches(word)
            if marks.count(1) * _COMMON > len(self):
                self._common_words.add(word, marks)
        return np.frombuffer(marks, dtype=np.bool_)

    def _in_named(self, text: str) -> NDArray[np.bool_]:
        """Return the books whose category's name contains `text`."""
        names = np.array([text in name for name in self._folded_categories], dtype=np.bool_)
        found: NDArray[np.bool_] = names[self._category_codes]
        return found

    def _in_category(self, text: str) -> NDArray[np.bool_]:
        if text not in self._folded_categories:
            return self._in_named(text)
        codes = [code for code, name in enumerate(self._folded_categories) if name == text]
        return np.isin(self._category_codes, codes)


def _frame(columns: BookColumns) -> pd.DataFrame:
    """Return the columns as a frame, which shares their memory."""
    names = pd.Index([*columns.categories], dtype=object)
    return pd.DataFrame(
        {
            "id": numbers(columns.ids),
            "title": np.array(columns.titles, dtype=object),
            "category": pd.Categorical.from_codes(numbers(columns.category_codes), names),
            "pence_incl_tax": numbers(columns.pence_incl_tax),
            "pence_excl_tax": numbers(columns.pence_excl_tax),
            "rating": numbers(columns.ratings),
            "image_url": np.array(columns.image_urls, dtype=object),
        },
        copy=False,
    )


def numbers(values: Any) -> NDArray[Any]:
    """Return the integers of an array, shared with it."""
    return np.frombuffer(values, dtype=f"i{values.itemsize}")


def _positions(found: NDArray[np.bool_]) -> Positions:
    return np.flatnonzero(found).astype(np.int32)


def order_of(keys: NDArray[Any], *, descending: bool) -> Positions:
    """Return the positions by their keys; ties stay in the order of ids."""
    if keys.max(initial=0) < 1 << 15:
        keys = keys.astype(np.int16)  # which numpy sorts ten times as fast
    return np.argsort(-keys if descending else keys, kind="stable").astype(np.int32)
