"""One book as the shop describes it."""

from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class ScrapedBook:
    """One product page; prices are pounds with 2 decimals, `description` is "" where the shop has none."""

    url: str
    upc: str
    title: str
    category: str
    price_excl_tax: Decimal
    price_incl_tax: Decimal
    stock: int
    rating: int
    image_url: str
    description: str
