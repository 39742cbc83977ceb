"""Made-up training data: random ratings, as in the real shop, or ratings with a signal."""

from __future__ import annotations

import random
from typing import Any

Book = dict[str, Any]
CATEGORIES = ("Fiction", "Poetry", "Travel")


def make_books(count: int, *, seed: int = 0) -> list[Book]:
    """Make books with random ratings."""
    rng = random.Random(seed)
    return [
        {
            "categoria": rng.choice(CATEGORIES),
            "disponibilidade": rng.randint(1, 22),
            "preco_com_taxa": (price := rng.randint(1_000, 6_000) / 100),
            "preco_sem_taxa": price,
            "rating": rng.randint(1, 5),
            "titulo": f"Book {number}",
        }
        for number in range(count)
    ]


def rated_by_price(books: list[Book]) -> list[Book]:
    """Rate the books by price."""
    return [{**book, "rating": min(5, 1 + int(book["preco_com_taxa"] / 12))} for book in books]


def rated_by_category(books: list[Book]) -> list[Book]:
    """Rate the books by category."""
    return [{**book, "rating": 1 + CATEGORIES.index(book["categoria"])} for book in books]
