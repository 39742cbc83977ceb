"""The shop from day to day: prices, stocks and texts that change, books that leave and return, by a seed."""

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal

from demo.site.books import DemoBook, draw, draw_stock
from demo.site.words import CATEGORIES

SECONDS_A_DAY = 300
"""As often as visitors trigger a scrape (demo/traffic/memory.py): a shop started later goes on from a later day."""
LARGEST_STEP = Decimal("0.15")
SELDOM = 15
"""How many times rarer than a price a text changes, or a book leaves."""
ABSENT_DAYS = 5
EDITIONS = ("", " Now with a new preface.", " Second edition.")


def books_on(day: int, books: Sequence[DemoBook], rate: float, seed: int = 2026) -> tuple[DemoBook, ...]:
    """Return the `books` that are on sale on a day, as they are then.

    Every day a share `rate` of them has another price, as many another stock, and a few another text; a few leave
    for ABSENT_DAYS. Prices stay near the first one, and a book of each category stays.
    """
    seldom = rate / SELDOM

    def turn(kind: str, share: float, number: int) -> float:
        """Count the times that a book has changed; the fraction is its way to the next."""
        return day * share + draw(seed, kind, "phase", number)

    shown = []
    for position, book in enumerate(books):
        if position >= len(CATEGORIES) and turn("leaves", seldom, book.number) % 1 < seldom * ABSENT_DAYS:
            continue
        priced, stocked, edited = (
            int(turn(kind, share, book.number))
            for kind, share in (("price", rate), ("stock", rate), ("text", seldom))
        )
        step = Decimal(draw(seed, "step", book.number, priced) * 2 - 1) * LARGEST_STEP
        price = (book.price_incl_tax * (1 + step)).quantize(Decimal("0.01"))
        shown.append(
            replace(
                book,
                price_incl_tax=price,
                price_excl_tax=price,
                stock=draw_stock(seed, book.number, stocked),
                description=book.description and book.description + EDITIONS[edited % len(EDITIONS)],
            )
        )
    return tuple(shown)


@dataclass
class Calendar:
    """The days of a shop, one for each crawl; `_lock` protects `day`."""

    books: Sequence[DemoBook]
    rate: float
    day: int = field(default_factory=lambda: int(time.time() // SECONDS_A_DAY))
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def next_day(self) -> tuple[DemoBook, ...]:
        with self._lock:
            self.day += 1
            return books_on(self.day, self.books, self.rate)
