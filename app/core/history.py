"""What the shop remembers of past publications."""

from enum import IntFlag


class BookChange(IntFlag):
    """What a publication changed of a book, of which there may be several things at once."""

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


_WORDS = {
    BookChange.ADDED: "adicionado",
    BookChange.REMOVED: "removido",
    BookChange.RETURNED: "voltou",
    BookChange.PRICE: "preco",
    BookChange.STOCK: "estoque",
    BookChange.TEXT: "texto",
}
