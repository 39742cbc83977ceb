"""The books of a catalogue, column by column: a million of them as objects would take gigabytes."""

from __future__ import annotations

from array import array
from collections.abc import Iterable
from dataclasses import dataclass, field

from app.core.books import Book


def _integers() -> array[int]:
    return array("q")


@dataclass(slots=True, eq=False)
class BookColumns:
    """Books in ascending order of their ids. Prices are whole pence; `categories` numbers the names as they appear.

    `details` are descriptions, UPCs and addresses of pages, of a small catalogue; otherwise it is empty.
    """

    ids: array[int] = field(default_factory=_integers)
    titles: list[str] = field(default_factory=list)
    category_codes: array[int] = field(default_factory=_integers)
    categories: dict[str, int] = field(default_factory=dict)
    pence_incl_tax: array[int] = field(default_factory=_integers)
    pence_excl_tax: array[int] = field(default_factory=_integers)
    stocks: array[int] = field(default_factory=_integers)
    ratings: array[int] = field(default_factory=_integers)
    image_urls: list[str] = field(default_factory=list)
    details: list[tuple[str, str, str]] = field(default_factory=list)

    @classmethod
    def of(cls, books: Iterable[Book]) -> BookColumns:
        ordered = sorted(books, key=lambda book: book.id)
        columns = cls()
        columns.extend(
            [book.id for book in ordered],
            [book.title for book in ordered],
            [book.category for book in ordered],
            [int(book.price_incl_tax.scaleb(2)) for book in ordered],
            [int(book.price_excl_tax.scaleb(2)) for book in ordered],
            [book.stock for book in ordered],
            [book.rating for book in ordered],
            [book.image_url for book in ordered],
        )
        return columns

    def extend(
        self,
        ids: Iterable[int],
        titles: Iterable[str],
        categories: Iterable[str],
        pence_incl_tax: Iterable[int],
        pence_excl_tax: Iterable[int],
        stocks: Iterable[int],
        ratings: Iterable[int],
        image_urls: Iterable[str],
    ) -> None:
        """Add books, whose ids ascend and are greater than all before."""
        known = self.categories
        self.ids.extend(ids)
        self.titles.extend(titles)
        self.category_codes.extend([known.setdefault(name, len(known)) for name in categories])
        self.pence_incl_tax.extend(pence_incl_tax)
        self.pence_excl_tax.extend(pence_excl_tax)
        self.stocks.extend(stocks)
        self.ratings.extend(ratings)
        self.image_urls.extend(image_urls)
