"""The catalogue as readers see it: what a publication fixes, and the stocks, which sales change."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
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
)
from app.core.catalogue_base import CatalogueBase, Positions, numbers, order_of
from app.core.stocks import Stocks
from ml.text_model import NO_TEXT_MODEL, Neighbour, Suggestion, TextModel

__all__ = [
    "RATINGS", "SORT_COLUMNS", "Book", "Catalogue", "CatalogueBase", "CategorySummary", "Overview", "Positions",
    "Publication", "fold", "mean_price",
]  # fmt: skip


class Catalogue:
    """Every book on sale at one version, in the order of their ids: an immutable snapshot.

    `base` is the same object until the next publication, `texts` what the model in use found in the books' texts.
    Methods that return a frame return a new one, with the columns of the base's and `stock`.
    """

    def __init__(self, books: Iterable[Book] | BookColumns, publication: Publication) -> None:
        columns = books if isinstance(books, BookColumns) else BookColumns.of(books)
        self.base = CatalogueBase(columns)
        self.publication = publication
        self.texts = NO_TEXT_MODEL
        self._stocks = Stocks(columns.stocks)
        self._orders: dict[bool, Positions] = {}

    def with_stocks(self, stocks: Mapping[int, int], publication: Publication) -> Catalogue:
        """Return the same books with `stocks`, by id, of those that `publication` changes. Raises BookNotFound."""
        position = self.base.position
        changes = {position(book_id): copies for book_id, copies in stocks.items()}
        changed = copy.copy(self)
        changed.publication = publication
        changed._stocks = self._stocks.with_changes(changes)
        changed._orders = {}
        return changed

    def with_texts(self, texts: TextModel) -> Catalogue:
        """Return the same books with what a model found in their texts."""
        changed = copy.copy(self)
        changed.texts = texts
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
        return numbers(self._stocks.to_array())

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
            known = self._orders[descending] = order_of(self.all_stocks(), descending=descending)
        return known

    def sort(self, found: Positions, sort: str, *, descending: bool) -> Positions:
        """Return the books `found`, which are in the order of ids, by a key of SORT_COLUMNS, as `order` does."""
        if sort == "id":
            return found[::-1] if descending else found
        wanted = np.zeros(len(self), dtype=np.bool_)
        wanted[found] = True
        order = self.order(sort, descending=descending)
        return order[wanted[order]]

    def similar(
        self, book_id: int, limit: int, *, in_stock_first: bool = False
    ) -> list[tuple[int, Neighbour]]:
        """Return the positions of the books on sale that are like a book, best first. Raises BookNotFound."""
        self.base.position(book_id)
        places = ((self.base.find(alike.book_id), alike) for alike in self.texts.neighbours(book_id))
        found = [(position, alike) for position, alike in places if position is not None]
        if in_stock_first:
            found.sort(key=lambda pair: self._stocks[pair[0]] == 0)
        return found[:limit]

    def suggested_category(self, book_id: int) -> Suggestion | None:
        """Return the category that is proposed for a book without one. Raises BookNotFound."""
        return self.texts.suggestion(book_id, self.base.category(self.base.position(book_id)))

    def books(self, sort: str = "id", *, descending: bool = False) -> pd.DataFrame:
        """Return all books; `sort` is a key of SORT_COLUMNS, ties stay in the order of ids."""
        return self._frame(self.order(sort, descending=descending))

    def search(self, title: str = "", category: str = "") -> pd.DataFrame:
        """Return the books whose title contains `title` and whose category is, or else contains, `category`.

        Both are literal and ignore case and accents; an empty one matches everything. Where no title in the
        whole catalogue contains `title`, every word of it must occur in the title or the category.
        """
        return self._frame(self.base.search(title, category))

    def in_price_range(self, low: Decimal, high: Decimal) -> pd.DataFrame:
        """Return the books that cost from `low` to `high` pounds with tax, both included."""
        return self._frame(self.base.in_price_range(low, high))

    def top_rated(self) -> pd.DataFrame:
        """Return every book with the highest rating present."""
        return self._frame(self.base.top_rated)

    def categories(self) -> list[str]:
        """Return the names of the categories in the order of their first books."""
        return list(self.base.columns.categories)

    def overview(self) -> Overview:
        """Return counts and means of all books; the means are None where there is none."""
        return self.base.overview

    def category_summaries(self) -> list[CategorySummary]:
        """Return a summary of every category, by name."""
        return list(self.base.category_summaries)

    def _frame(self, positions: Positions) -> pd.DataFrame:
        return self.base.frame.iloc[positions].assign(stock=self.stocks_at(positions.tolist()))

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
