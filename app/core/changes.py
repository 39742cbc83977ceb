"""A book's course through past publications, and what each of them changed."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from app.core.history import BookChange

ChangedValue = Decimal | int | Mapping[str, str | int] | None


@dataclass(frozen=True, slots=True)
class Observation:
    """A book as a publication left it. Prices are pounds; those of an unlisted book are its last ones."""

    version: int
    observed_at: datetime
    price_incl_tax: Decimal
    price_excl_tax: Decimal
    stock: int
    listed: bool


@dataclass(frozen=True, slots=True)
class CatalogueChange:
    """One kind of change of one book in one publication, whose title and category the book had then.

    `before` and `after` are copies where the stock changed, the edited texts by their names where a text did, else
    pounds with tax: None while the book was not on sale, and of one that returned, the price before it left.
    """

    version: int
    observed_at: datetime
    book_id: int
    title: str
    category: str
    kind: BookChange
    before: ChangedValue
    after: ChangedValue
