"""Made-up training data: as random as the real shop's, or with a signal."""

from __future__ import annotations

import random
from typing import Any

Book = dict[str, Any]
CATEGORIES = ("Fiction", "Poetry", "Travel")


def make_books(count: int, *, seed: int = 0) -> list[Book]:
    """Books about which nothing tells the rating."""
    chance = random.Random(seed)
    return [
        {
            "categoria": chance.choice(CATEGORIES),
            "disponibilidade": chance.randint(1, 22),
            "preco_com_taxa": (price := chance.randint(1_000, 6_000) / 100),
            "preco_sem_taxa": price,
            "rating": chance.randint(1, 5),
            "titulo": f"Book {number}",
        }
        for number in range(count)
    ]


def rated_by_price(books: list[Book]) -> list[Book]:
    """The same books, of which the dear are better."""
    return [{**book, "rating": min(5, 1 + int(book["preco_com_taxa"] / 12))} for book in books]


def rated_by_category(books: list[Book]) -> list[Book]:
    """The same books, of which only the category tells the rating."""
    return [{**book, "rating": 1 + CATEGORIES.index(book["categoria"])} for book in books]
