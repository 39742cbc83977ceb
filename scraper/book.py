"""One book as the shop describes it."""

from dataclasses import dataclass, fields
from decimal import Decimal
from typing import Any, Self

MAX_UPC_CHARACTERS = 64
MAX_CATEGORY_CHARACTERS = 200
MAX_DESCRIPTION_CHARACTERS = 20_000


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

    def as_json(self) -> dict[str, Any]:
        """Return the fields by name, prices as text."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: str(value) if isinstance(value, Decimal) else value for name, value in values.items()}

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Self:
        """Make the book that `as_json` describes."""
        prices = {name: Decimal(values[name]) for name in ("price_excl_tax", "price_incl_tax")}
        return cls(**(values | prices))
