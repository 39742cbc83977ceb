"""A book on sale, what is published of the catalogue, and its figures."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

RATINGS = (1, 2, 3, 4, 5)
SORT_COLUMNS = {
    "id": "ids",
    "titulo": "titles",
    "categoria": "categories",
    "preco_com_taxa": "pence_incl_tax",
    "preco_sem_taxa": "pence_excl_tax",
    "disponibilidade": "stocks",
    "rating": "ratings",
}
"""What lists can be sorted by, and the column of `BookColumns` that holds it."""
_TYPED = str.maketrans(
    dict.fromkeys("‘’‚‛′ʼʹ‹›", "'")
    | dict.fromkeys("“”„‟″«»", '"')
    | dict.fromkeys("‐‑‒–—―−", "-")
    | {"ł": "l", "Ł": "L", "ø": "o", "Ø": "O", "đ": "d", "Đ": "D", "ð": "d", "Ð": "D", "ħ": "h", "Ħ": "H"}
    | {"ı": "i", "æ": "ae", "Æ": "AE", "œ": "oe", "Œ": "OE", "þ": "th", "Þ": "Th", "ŧ": "t", "Ŧ": "T"}
)
"""What a keyboard types for characters that have no decomposition."""
AS_PUBLISHED = -1
"""The stock version of a past catalogue, whose stocks no order changes."""
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
    """A published version of the catalogue.

    `stock_version` counts the changes of stock by orders; AS_PUBLISHED in a past catalogue.
    `model_version` is that of the model in use, 0 for none: what it found in the texts is shown with the books.
    """

    version: int
    published_at: datetime
    origin: str
    source_url: str
    stock_version: int = 0
    model_version: int = 0

    @property
    def is_past(self) -> bool:
        """Whether this is of a catalogue as its publication left it, which never changes."""
        return self.stock_version == AS_PUBLISHED


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
    """Return `text` without case and accents, as a keyboard has it: 'acao' finds 'Ação', and "don't" 'Don’t'."""
    if text.isascii():
        return text.lower()  # the same, a hundred times as fast
    decomposed = unicodedata.normalize("NFKD", text).translate(_TYPED)
    return "".join(char for char in decomposed if not unicodedata.combining(char)).casefold()


def mean_price(total_pence: int, count: int) -> Decimal:
    """Return the mean in pounds, rounded half up to the cent on whole pence: 34.385 is 34.39, never 34.38."""
    return Decimal((2 * total_pence + count) // (2 * count)).scaleb(-2)


def whole_pence(pounds: Decimal, rounding: str) -> int:
    """Return a bound in whole pence; shifted, not multiplied, since a product is rounded to 28 digits first."""
    if not pounds:
        return 0  # whatever its exponent, which may be beyond all contexts
    bounded = min(pounds, _HIGHEST_PENCE)
    sign, digits, exponent = bounded.as_tuple()
    return int(Decimal((sign, digits, int(exponent) + 2)).to_integral_value(rounding))
