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
    """Books in ascending order of their ids. Prices are whole pence; `categories` numbers the names as they appear."""

    ids: array[int] = field(default_factory=_integers)
    titles: list[str] = field(default_factory=list)
    category_codes: array[int] = field(default_factory=_integers)
    categories: dict[str, int] = field(default_factory=dict)
    pence_incl_tax: array[int] = field(default_factory=_integers)
    pence_excl_tax: array[int] = field(default_factory=_integers)
    stocks: array[int] = field(default_factory=_integers)
    ratings: array[int] = field(default_factory=_integers)
    image_urls: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, books: Iterable[Book]) -> BookColumns:
        columns = cls()
        for book in sorted(books, key=lambda book: book.id):
            columns.append(
                book.id,
                book.title,
                book.category,
                int(book.price_incl_tax.scaleb(2)),
                int(book.price_excl_tax.scaleb(2)),
                book.stock,
                book.rating,
                book.image_url,
            )
        return columns

    def append(
        self,
        book_id: int,
        title: str,
        category: str,
        pence_incl_tax: int,
        pence_excl_tax: int,
        stock: int,
        rating: int,
        image_url: str,
    ) -> None:
        """Add a book; its id must be greater than all before."""
        self.ids.append(book_id)
        self.titles.append(title)
        self.category_codes.append(self.categories.setdefault(category, len(self.categories)))
        self.pence_incl_tax.append(pence_incl_tax)
        self.pence_excl_tax.append(pence_excl_tax)
        self.stocks.append(stock)
        self.ratings.append(rating)
        self.image_urls.append(image_url)
