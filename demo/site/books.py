"""The made-up books of the demonstration shop, the same ones on every machine and Python."""

import hashlib
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from demo.site.topics import ABOUT, TOPICS, WITHOUT_SUBJECT
from demo.site.words import ADJECTIVES, CATEGORIES, LONG_TITLE, NOUNS, PATTERNS, PLACES, SENTENCES

OUT_OF_STOCK_SHARE = 0.02
STRAY_WORD_SHARE = 0.5
"""Of the words of a description, those of another category: no text gives its category away for sure."""
MAX_SLUG_CHARACTERS = 60
SUBJECTS = tuple(category for category in CATEGORIES if category not in WITHOUT_SUBJECT)


@dataclass(frozen=True, slots=True)
class DemoBook:
    """A made-up book; prices are pounds with 2 decimals, `number` is unique."""

    number: int
    upc: str
    title: str
    category: str
    price_excl_tax: Decimal
    price_incl_tax: Decimal
    stock: int
    rating: int
    description: str

    @property
    def path(self) -> str:
        return f"/catalogue/{slug(self.title)}_{self.number}/index.html"

    @property
    def image_path(self) -> str:
        return f"/covers/{self.upc}.svg"


def slug(text: str) -> str:
    """Turn `text` into a part of a URL: lower-case ASCII words joined by hyphens."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode("ascii").lower()
    return re.sub(r"[^a-z0-9]+", "-", plain.replace("'", ""))[:MAX_SLUG_CHARACTERS].strip("-") or "book"


def draw(*key: object) -> float:
    """Return a number in [0, 1) that depends on `key` alone; `random` may change between Python versions."""
    digest = hashlib.sha256("\0".join(map(str, key)).encode()).digest()
    return int.from_bytes(digest[:6], "big") / 2**48


def draw_stock(seed: int, *key: object) -> int:
    """Return a stock of up to 22 copies, now and then none."""
    in_stock = draw(seed, "in stock", *key) >= OUT_OF_STOCK_SHARE
    return 1 + int(draw(seed, "stock", *key) * 22) if in_stock else 0


def _pick(options: Sequence[str], *key: object) -> str:
    return options[int(draw(*key) * len(options))]


def make_books(count: int = 1000, seed: int = 2026) -> tuple[DemoBook, ...]:
    """Make the catalogue in site order, newest (highest number) first.

    Fifty books or more cover every category, and include a title of over 204 characters, a title that two
    books share, and two books without a description.
    """
    books = [_make_book(seed, count - position, position) for position in range(count)]
    if count >= len(CATEGORIES):
        books[7] = replace(books[7], title=LONG_TITLE)
        books[31] = replace(books[31], title=books[11].title)
        books[3] = replace(books[3], description="")
        books[42] = replace(books[42], description="")
    return tuple(books)


def _make_book(seed: int, number: int, position: int) -> DemoBook:
    words = {
        "adjective": _pick(ADJECTIVES, seed, "adjective", number),
        "noun": _pick(NOUNS, seed, "noun", number),
        "other": _pick(NOUNS, seed, "other", number),
        "place": _pick(PLACES, seed, "place", number),
        "number": 1 + int(draw(seed, "volume", number) * 7),
    }
    spoken = words | {name: str(words[name]).lower() for name in ("adjective", "noun", "other")}
    # The first fifty take a category each; the rest crowd into the earlier ones, as books do.
    category = (
        CATEGORIES[position]
        if position < len(CATEGORIES)
        else CATEGORIES[int(draw(seed, "category", number) ** 2 * len(CATEGORIES))]
    )
    subject = category if category in TOPICS else _pick(SUBJECTS, seed, "subject", number)
    price = Decimal(1000 + int(draw(seed, "price", number) * 5000)) / 100
    return DemoBook(
        number=number,
        upc=hashlib.sha256(f"{seed} upc {number}".encode()).hexdigest()[:16],
        title=_pick(PATTERNS, seed, "pattern", number).format(**words),
        category=category,
        price_excl_tax=price,
        price_incl_tax=price,  # books bear no VAT in the United Kingdom
        stock=draw_stock(seed, number),
        rating=1 + int(draw(seed, "rating", number) * 5),
        description=_describe(seed, number, subject, spoken),
    )


def _describe(seed: int, number: int, subject: str, words: Mapping[str, object]) -> str:
    """Return two sentences about anything and two about the subject, most of whose words are the subject's."""
    said = [_pick(SENTENCES, seed, "sentence", n, number).format(**words) for n in (1, 2)]
    for n in (1, 2):
        topics = {}
        for slot in "abc":
            strays = draw(seed, "stray", n, slot, number) < STRAY_WORD_SHARE
            of = _pick(SUBJECTS, seed, "stray subject", n, slot, number) if strays else subject
            topics[slot] = _pick(TOPICS[of], seed, "topic", n, slot, number)
        text = _pick(ABOUT, seed, "about", n, number).format(**topics, place=words["place"])
        said.append(text[0].upper() + text[1:])
    return " ".join(dict.fromkeys(said))
