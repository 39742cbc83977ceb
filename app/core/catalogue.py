"""The catalogue as readers see it: an immutable snapshot, held in pandas."""

from __future__ import annotations

import copy
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import Any

import pandas as pd

from app.core.errors import BookNotFound

RATINGS = (1, 2, 3, 4, 5)
SORT_COLUMNS = {
    "id": "id",
    "titulo": "folded_title",
    "categoria": "folded_category",
    "preco_com_taxa": "pence_incl_tax",
    "preco_sem_taxa": "pence_excl_tax",
    "disponibilidade": "stock",
    "rating": "rating",
}
_HIGHEST_PENCE = Decimal(10) ** 12


@dataclass(frozen=True, slots=True)
class Book:
    """A book on sale. Prices are pounds with two decimals, `stock` counts the copies that can be ordered now."""

    id: int
    title: str
    category: str
    price_incl_tax: Decimal
    price_excl_tax: Decimal
    stock: int
    rating: int
    image_url: str


@dataclass(frozen=True, slots=True)
class Publication:
    """A published version of the catalogue; `stock_version` counts the changes of stock by orders."""

    version: int
    published_at: datetime
    origin: str
    source_url: str
    stock_version: int = 0


@dataclass(frozen=True, slots=True)
class Overview:
    books: int
    mean_price_incl_tax: Decimal | None
    mean_price_excl_tax: Decimal | None
    by_rating: dict[int, int]


@dataclass(frozen=True, slots=True)
class CategorySummary:
    category: str
    books: int
    mean_price_incl_tax: Decimal
    mean_price_excl_tax: Decimal


def fold(text: str) -> str:
    """Return `text` without case and accents, so that 'ação' finds 'Acao'."""
    decomposed = unicodedata.normalize("NFKD", text)
    return "".join(char for char in decomposed if not unicodedata.combining(char)).casefold()


def mean_price(total_pence: int, count: int) -> Decimal:
    """Return the mean in pounds, rounded half up to the cent on whole pence: 34.385 is 34.39, never 34.38."""
    return Decimal((2 * total_pence + count) // (2 * count)).scaleb(-2)


class Catalogue:
    """Every book on sale at one version, in the order of their ids.

    It is immutable, so any number of threads read it without a lock. Methods that select books return a
    new frame with the columns `id, title, category, pence_incl_tax, pence_excl_tax, stock, rating,
    image_url, folded_title, folded_category`; prices are whole pence.
    """

    def __init__(self, books: Iterable[Book], publication: Publication) -> None:
        ordered = sorted(books, key=lambda book: book.id)
        self.publication = publication
        self._by_id = {book.id: book for book in ordered}
        self._frame = pd.DataFrame(
            {
                "id": pd.Series([b.id for b in ordered], dtype="int64"),
                "title": pd.Series([b.title for b in ordered], dtype="str"),
                "category": pd.Series([b.category for b in ordered], dtype="str"),
                "pence_incl_tax": pd.Series([_pence(b.price_incl_tax) for b in ordered], dtype="int64"),
                "pence_excl_tax": pd.Series([_pence(b.price_excl_tax) for b in ordered], dtype="int64"),
                "stock": pd.Series([b.stock for b in ordered], dtype="int64"),
                "rating": pd.Series([b.rating for b in ordered], dtype="int64"),
                "image_url": pd.Series([b.image_url for b in ordered], dtype="str"),
                "folded_title": pd.Series([fold(b.title) for b in ordered], dtype="str"),
                "folded_category": pd.Series([fold(b.category) for b in ordered], dtype="str"),
            }
        )
        self._titles: list[str] = self._frame["folded_title"].tolist()
        self._categories: list[str] = self._frame["folded_category"].tolist()

    def with_stocks(self, stocks: Mapping[int, int], publication: Publication) -> Catalogue:
        """Return the same books with `stocks` by id, as `publication` has them."""
        changed = copy.copy(self)
        changed.publication = publication
        changed._by_id = {
            book_id: book if book.stock == stocks[book_id] else replace(book, stock=stocks[book_id])
            for book_id, book in self._by_id.items()
        }
        changed._frame = self._frame.assign(stock=[book.stock for book in changed._by_id.values()])
        return changed

    def __len__(self) -> int:
        return len(self._by_id)

    def book(self, book_id: int) -> Book:
        """Return the book with that id. Raises BookNotFound."""
        try:
            return self._by_id[book_id]
        except KeyError:
            raise BookNotFound from None

    def books(self, sort: str = "id", *, descending: bool = False) -> pd.DataFrame:
        """Return all books; `sort` is a key of SORT_COLUMNS, ties stay in the order of ids."""
        return sort_books(self._frame, sort, descending=descending)

    def search(self, title: str = "", category: str = "") -> pd.DataFrame:
        """Return the books whose title contains `title` and whose category is, or else contains, `category`.

        Both are literal and ignore case and accents; an empty one matches everything. Where no title in the
        whole catalogue contains `title`, every word of it must occur in the title or the category.
        """
        titles = self._title_matches(fold(title.strip()))
        matches: pd.DataFrame = self._frame[titles & self._category_matches(fold(category.strip()))]
        return matches

    def in_price_range(self, low: Decimal, high: Decimal) -> pd.DataFrame:
        """Return the books that cost from `low` to `high` pounds with tax, both included."""
        pence = self._frame["pence_incl_tax"]
        first, last = _whole_pence(low, ROUND_CEILING), _whole_pence(high, ROUND_FLOOR)
        matches: pd.DataFrame = self._frame[(pence >= first) & (pence <= last)]
        return matches

    def top_rated(self) -> pd.DataFrame:
        """Return every book with the highest rating present."""
        best: pd.DataFrame = self._frame[self._frame["rating"] == self._frame["rating"].max()]
        return best

    def categories(self) -> list[str]:
        """Return the names of the categories in the order of their first books."""
        return list(dict.fromkeys(self._frame["category"].tolist()))

    def overview(self) -> Overview:
        """Return counts and means of all books; the means are None where there is none."""
        count = len(self)
        totals = (int(self._frame[column].sum()) for column in ("pence_incl_tax", "pence_excl_tax"))
        incl, excl = (mean_price(total, count) if count else None for total in totals)
        ratings = self._frame["rating"].value_counts()
        return Overview(count, incl, excl, {rating: int(ratings.get(rating, 0)) for rating in RATINGS})

    def category_summaries(self) -> list[CategorySummary]:
        """Return a summary of every category, by name."""
        groups = self._frame.groupby("category", sort=True)
        totals = groups[["pence_incl_tax", "pence_excl_tax"]].sum()
        return [
            CategorySummary(
                str(name), int(count), mean_price(int(incl), int(count)), mean_price(int(excl), int(count))
            )
            for name, count, incl, excl in zip(
                totals.index, groups.size(), totals["pence_incl_tax"], totals["pence_excl_tax"], strict=True
            )
        ]

    def training_rows(self) -> list[dict[str, Any]]:
        """Return all books with the six keys of training data; prices are the floats nearest to the pounds."""
        frame = self._frame
        columns = {
            "categoria": frame["category"],
            "disponibilidade": frame["stock"],
            "preco_com_taxa": frame["pence_incl_tax"] / 100,
            "preco_sem_taxa": frame["pence_excl_tax"] / 100,
            "rating": frame["rating"],
            "titulo": frame["title"],
        }
        values = [column.tolist() for column in columns.values()]
        return [dict(zip(columns, row, strict=True)) for row in zip(*values, strict=True)]

    def _title_matches(self, text: str) -> pd.Series[bool]:
        matches = [text in title for title in self._titles]
        if not any(matches):
            words = text.split()
            matches = [
                all(word in title or word in category for word in words)
                for title, category in zip(self._titles, self._categories, strict=True)
            ]
        return pd.Series(matches, index=self._frame.index, dtype=bool)

    def _category_matches(self, text: str) -> pd.Series[bool]:
        exact = text in self._categories
        matches = [category == text if exact else text in category for category in self._categories]
        return pd.Series(matches, index=self._frame.index, dtype=bool)


def sort_books(frame: pd.DataFrame, sort: str, *, descending: bool) -> pd.DataFrame:
    """Return a new frame in the order of a key of SORT_COLUMNS; ties stay in the order of ids."""
    if sort == "id":
        return frame.iloc[::-1] if descending else frame.copy(deep=False)  # copy-on-write keeps them apart
    ordered: pd.DataFrame = frame.sort_values([SORT_COLUMNS[sort], "id"], ascending=[not descending, True])
    return ordered


def _pence(pounds: Decimal) -> int:
    return int(pounds.scaleb(2))


def _whole_pence(pounds: Decimal, rounding: str) -> int:
    """Return a bound in whole pence; shifted, not multiplied, since a product is rounded to 28 digits first."""
    bounded = min(pounds, _HIGHEST_PENCE)
    sign, digits, exponent = bounded.as_tuple()
    return int(Decimal((sign, digits, int(exponent) + 2)).to_integral_value(rounding))
