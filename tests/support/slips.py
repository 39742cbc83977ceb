"""Slips of the keyboard in the first words of titles."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from itertools import islice
from string import ascii_lowercase

from app.core.catalogue import fold

FIRST_WORDS = 4


def make_slips(titles: Sequence[str], count: int, seed: int = 7) -> list[tuple[int, str]]:
    """Return `count` pairs: the place of a title, and its first words with a slip."""
    return list(islice(_slips(titles, random.Random(seed)), count))


def _slips(titles: Sequence[str], draw: random.Random) -> Iterator[tuple[int, str]]:
    while True:
        place = draw.randrange(len(titles))
        text = " ".join(titles[place].split()[:FIRST_WORDS])
        slipped = _slip(text, draw)
        if fold(slipped.strip()) not in ("", fold(text)):
            yield place, slipped


def _slip(text: str, draw: random.Random) -> str:
    at = draw.randrange(len(text))
    before, char, after = text[:at], text[at], text[at + 1 :]
    letter = draw.choice(ascii_lowercase)
    # A letter mistaken, left out, put in, or swapped with the next.
    return draw.choice(
        [
            before + letter + after,
            before + after,
            before + letter + char + after,
            before + after[:1] + char + after[1:],
        ]
    )
