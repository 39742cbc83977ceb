"""Made-up texts: of categories that have their own words, or of words dealt at random."""

from __future__ import annotations

import random
from dataclasses import replace

from scraper.book import ScrapedBook
from tests.support.books import make_scraped

WORDS = {
    "Poetry": ("verse", "rhyme", "sonnet", "lyric", "stanza", "poem", "muse", "ode"),
    "Travel": ("island", "train", "desert", "harbour", "passport", "mountain", "village", "border"),
    "Cooking": ("butter", "oven", "recipe", "garlic", "kitchen", "flour", "supper", "spice"),
}
COMMON = tuple(f"filler{letter}" for letter in "abcdefghijklmnopqrst")
NO_CATEGORY = "Default"


def make_book_texts(count: int, *, seed: int = 0, signal: bool = True) -> list[ScrapedBook]:
    """Make books whose descriptions tell their categories, unless there is no `signal`.

    Every tenth has the category `Default`; the category that its words are of is the first word of its title.
    """
    rng = random.Random(seed)
    books = []
    for number in range(count):
        category = rng.choice(sorted(WORDS))
        own = WORDS[category] if signal else sum(WORDS.values(), ())
        words = [*rng.sample(own, 4), *rng.sample(COMMON, 4)]
        rng.shuffle(words)
        books.append(
            make_scraped(
                f"t{number}",
                title=f"{category} volume {number}",
                category=NO_CATEGORY if number % 10 == 9 else category,
                description=" ".join(words),
                rating=1 + number % 5,
            )
        )
    return books if signal else [replace(book, title=f"Volume {n}") for n, book in enumerate(books)]


def text_of(book_id: int, book: ScrapedBook) -> dict[str, object]:
    """Return a book's line in the file of texts."""
    return {
        "id": book_id,
        "titulo": book.title,
        "categoria": book.category,
        "descricao": book.description,
    }
