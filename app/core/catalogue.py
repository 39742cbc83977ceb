"""The catalogue as readers see it: what a publication fixes, prepared once, and the stocks, which sales change."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from app.core.book_columns import BookColumns
from app.core.books import (
    RATINGS,
    SORT_COLUMNS,
    Book,
    CategorySummary,
    Overview,
    Publication,
    fold,
    mean_price,
    whole_pence,
)
from app.core.errors import BookNotFound
from app.core.figures import category_summaries_of, overview_of
from app.core.frames import frame_of
from app.core.ranks import ranks
from app.core.recent import RecentResults
from app.core.stocks import Stocks
from app.core.title_search import TitleSearch

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "RATINGS", "SORT_COLUMNS", "Book", "Catalogue", "CatalogueBase", "CategorySummary", "Overview", "Positions",
    "Publication", "fold", "mean_price",
]  # fmt: skip

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
    is costly is made when first asked for, at worst by two threads at once.
    """

    def __init__(self, columns: BookColumns) -> None:
        """`columns` belong to the base from now on."""
        self.columns = columns
        self._categories = tuple(columns.categories)
        self._category_codes = _numbers(columns.category_codes)
        self._pence_incl_tax = _numbers(columns.pence_incl_tax)
        self._folded_titles = [fold(title) for title in columns.titles]
        self._folded_categories = [fold(name) for name in self._categories]
        self._title_search = TitleSearch(self._folded_titles)
        self._orders: dict[tuple[str, bool], Positions] = {}
        self._searches: RecentResults[tuple[str, str], Positions] = RecentResults(
            _MAX_SEARCHES, max_items=4 * len(columns.ids)
        )
        self._common_words: RecentResults[str, bytes] = RecentResults(
            _MAX_COMMON_WORDS, max_items=_MAX_COMMON_WORDS * len(columns.ids)
        )

    def __len__(self) -> int:
        return len(self.columns.ids)

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

    def order(self, sort: str, *, descending: bool) -> Positions:
        """Return all books by a key of SORT_COLUMNS other than the stock; ties stay in the order of ids."""
        known = self._orders.get((sort, descending))
        if known is None:
            known = self._orders[sort, descending] = _order(self._sort_keys(sort), descending=descending)
        return known

    def search(self, title: str, category: str) -> Positions:
        """Return what `Catalogue.search` describes, in the order of ids."""
        asked = fold(title.strip()), fold(category.strip())
        found = self._searches.get(asked)
        if found is None:
            found = _positions(self._with_title(asked[0]) & self._in_category(asked[1]))
            self._searches.add(asked, found)
        return found

    def in_price_range(self, low: Decimal, high: Decimal) -> Positions:
        """Return the books that cost from `low` to `high` pounds with tax, both included, in the order of ids."""
        first, last = whole_pence(low, ROUND_CEILING), whole_pence(high, ROUND_FLOOR)
        return _positions((self._pence_incl_tax >= first) & (self._pence_incl_tax <= last))

    @cached_property
    def top_rated(self) -> Positions:
        ratings = _numbers(self.columns.ratings)
        return _positions(ratings == ratings.max(initial=0))

    @cached_property
    def overview(self) -> Overview:
        return overview_of(self.columns)

    @cached_property
    def category_summaries(self) -> tuple[CategorySummary, ...]:
        return category_summaries_of(self.columns)

    def _sort_keys(self, sort: str) -> NDArray[Any]:
        if sort == "titulo":
            return self._title_ranks
        if sort == "categoria":
            keys: NDArray[Any] = _numbers(ranks(self._folded_categories))[self._category_codes]
            return keys
        columns = {
            "preco_com_taxa": "pence_incl_tax",
            "preco_sem_taxa": "pence_excl_tax",
            "rating": "ratings",
        }
        return _numbers(getattr(self.columns, columns.get(sort, "ids")))

    @cached_property
    def _title_ranks(self) -> NDArray[Any]:
        return _numbers(ranks(self._folded_titles))

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


class Catalogue:
    """Every book on sale at one version, in the order of their ids: an immutable snapshot.

    `base` is the same object until the next publication. Methods that return a frame return a new one with the columns
    `id, title, category, pence_incl_tax, pence_excl_tax, stock, rating, image_url`; prices are whole pence.
    """

    def __init__(self, books: Iterable[Book] | BookColumns, publication: Publication) -> None:
        columns = books if isinstance(books, BookColumns) else BookColumns.of(books)
        self._set(CatalogueBase(columns), Stocks(columns.stocks), publication)

    def _set(self, base: CatalogueBase, stocks: Stocks, publication: Publication) -> None:
        self.base = base
        self.publication = publication
        self._stocks = stocks
        self._orders: dict[bool, Positions] = {}

    def with_stocks(self, stocks: Mapping[int, int], publication: Publication) -> Catalogue:
        """Return the same books with `stocks`, by id, of those that `publication` changes. Raises BookNotFound."""
        position = self.base.position
        changes = {position(book_id): copies for book_id, copies in stocks.items()}
        changed = object.__new__(Catalogue)
        changed._set(self.base, self._stocks.with_changes(changes), publication)
        return changed

    def __len__(self) -> int:
        return len(self.base)

    def __contains__(self, book_id: int) -> bool:
        return self.base.find(book_id) is not None

    def stock(self, book_id: int) -> int:
        """Return the copies of the book with that id. Raises BookNotFound."""
        return self._stocks[self.base.position(book_id)]

    def stocks_at(self, positions: Iterable[int]) -> list[int]:
        stocks = self._stocks
        return [stocks[position] for position in positions]

    def all_stocks(self) -> NDArray[np.int64]:
        """Return the copies of every book, by position."""
        return _numbers(self._stocks.to_array())

    def scarcest(self, books: int) -> list[int]:
        """Return the ids of the `books` books with the fewest copies, of equal ones the first."""
        stocks = self.all_stocks()
        if 0 < books < len(stocks):
            most = np.partition(stocks, books - 1)[books - 1]
            found = np.flatnonzero(stocks <= most)
        else:
            found = np.arange(len(stocks))
        scarcest = found[np.argsort(stocks[found], kind="stable")][:books]
        return [self.base.columns.ids[position] for position in scarcest.tolist()]

    def book(self, book_id: int) -> Book:
        """Return the book with that id. Raises BookNotFound."""
        columns, position = self.base.columns, self.base.position(book_id)
        return Book(
            book_id,
            columns.titles[position],
            self.base.category(position),
            Decimal(columns.pence_incl_tax[position]).scaleb(-2),
            Decimal(columns.pence_excl_tax[position]).scaleb(-2),
            self._stocks[position],
            columns.ratings[position],
            columns.image_urls[position],
        )

    def order(self, sort: str = "id", *, descending: bool = False) -> Positions:
        """Return all books by a key of SORT_COLUMNS; ties stay in the order of ids."""
        if sort != "disponibilidade":
            return self.base.order(sort, descending=descending)
        known = self._orders.get(descending)
        if known is None:
            known = self._orders[descending] = _order(self.all_stocks(), descending=descending)
        return known

    def sort(self, found: Positions, sort: str, *, descending: bool) -> Positions:
        """Return the books `found`, which are in the order of ids, by a key of SORT_COLUMNS, as `order` does."""
        if sort == "id":
            return found[::-1] if descending else found
        wanted = np.zeros(len(self), dtype=np.bool_)
        wanted[found] = True
        order = self.order(sort, descending=descending)
        return order[wanted[order]]

    def books(self, sort: str = "id", *, descending: bool = False) -> pd.DataFrame:
        """Return all books; `sort` is a key of SORT_COLUMNS, ties stay in the order of ids."""
        return frame_of(self, self.order(sort, descending=descending))

    def search(self, title: str = "", category: str = "") -> pd.DataFrame:
        """Return the books whose title contains `title` and whose category is, or else contains, `category`.

        Both are literal and ignore case and accents; an empty one matches everything. Where no title in the
        whole catalogue contains `title`, every word of it must occur in the title or the category.
        """
        return frame_of(self, self.base.search(title, category))

    def in_price_range(self, low: Decimal, high: Decimal) -> pd.DataFrame:
        """Return the books that cost from `low` to `high` pounds with tax, both included."""
        return frame_of(self, self.base.in_price_range(low, high))

    def top_rated(self) -> pd.DataFrame:
        """Return every book with the highest rating present."""
        return frame_of(self, self.base.top_rated)

    def categories(self) -> list[str]:
        """Return the names of the categories in the order of their first books."""
        return list(self.base.columns.categories)

    def overview(self) -> Overview:
        """Return counts and means of all books; the means are None where there is none."""
        return self.base.overview

    def category_summaries(self) -> list[CategorySummary]:
        """Return a summary of every category, by name."""
        return list(self.base.category_summaries)

    def training_rows(self) -> list[dict[str, Any]]:
        """Return all books with the six keys of training data; prices are the floats nearest to the pounds."""
        columns = self.base.columns
        values = {
            "categoria": [self.base.category(position) for position in range(len(self))],
            "disponibilidade": self._stocks.to_array(),
            "preco_com_taxa": [pence / 100 for pence in columns.pence_incl_tax],
            "preco_sem_taxa": [pence / 100 for pence in columns.pence_excl_tax],
            "rating": columns.ratings,
            "titulo": columns.titles,
        }
        return [dict(zip(values, row, strict=True)) for row in zip(*values.values(), strict=True)]


def _numbers(values: Any) -> NDArray[Any]:
    """Return the integers of an array, shared with it."""
    return np.frombuffer(values, dtype=f"i{values.itemsize}")


def _positions(found: NDArray[np.bool_]) -> Positions:
    return np.flatnonzero(found).astype(np.int32)


def _order(keys: NDArray[Any], *, descending: bool) -> Positions:
    """Return the positions by their keys; ties stay in the order of ids."""
    if keys.max(initial=0) < 1 << 15:
        keys = keys.astype(np.int16)  # which numpy sorts ten times as fast
    return np.argsort(-keys if descending else keys, kind="stable").astype(np.int32)
