"""What the shop remembers of past publications."""

from dataclasses import dataclass, fields
from datetime import datetime
from enum import IntFlag

AsOf = int | datetime
"""A past catalogue: its version, or the moment before which it was the newest."""


class BookChange(IntFlag):
    """What a publication changed of a book; it may be several things at once."""

    ADDED = 1
    REMOVED = 2
    RETURNED = 4
    PRICE = 8
    STOCK = 16
    TEXT = 32

    @property
    def word(self) -> str:
        """The name that clients know, of one change."""
        return _WORDS[self]


@dataclass(frozen=True, slots=True)
class BookText:
    """What a book's page says of it, prices and stock aside."""

    title: str
    category: str
    rating: int
    image_url: str
    description: str
    upc: str
    source_url: str


TEXT_NAMES = tuple(field.name for field in fields(BookText))


_WORDS = {
    BookChange.ADDED: "adicionado",
    BookChange.REMOVED: "removido",
    BookChange.RETURNED: "voltou",
    BookChange.PRICE: "preco",
    BookChange.STOCK: "estoque",
    BookChange.TEXT: "texto",
}
