"""Search for titles and categories that a slip of the keyboard hides from the exact search."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from app.core.alignment import AFTER_THE_FIRST_WORD, SLIP, costs
from app.core.trigrams import TrigramIndex

MAX_NEAR = 20
"""Books that a search by title shows where it finds none exactly."""
LETTERS_PER_SLIP = 4
"""A slip is forgiven for so many letters, so that a shorter text, or a random one, is near to nothing."""
_MAX_SLIPS = 4
_MAX_CHARS = 100
"""Characters of a text and of a title that are compared."""
_CANDIDATES = 64
_MAX_CELLS = 40 * _CANDIDATES
"""Candidates times characters of the text: the work of comparing."""
_SEPARATORS = re.compile(r"[\W_]+")


class NearSearch:
    """Folded titles, their categories' folded names, and the trigrams in each. Immutable."""

    def __init__(
        self, titles: Sequence[str], category_codes: Sequence[int], categories: Sequence[str]
    ) -> None:
        self._titles = titles
        self._category_codes = category_codes
        self._categories = [_plain(name) for name in categories]
        self._title_index = TrigramIndex(titles)
        self._category_index = TrigramIndex(categories)

    def category(self, text: str) -> int | None:
        """Return the code of the category whose name is nearest to `text`, of equally near ones the shortest."""
        text = _plain(text)
        everywhere = np.ones(len(self._categories), np.bool_)
        found = self._category_index.closest(text, everywhere, _candidates(text))
        nearest = _nearest(text, found, [self._categories[code] for code in found.tolist()])
        return int(nearest[0]) if len(nearest) else None

    def titles(self, text: str, among: NDArray[np.bool_]) -> NDArray[np.int32]:
        """Return the positions marked in `among` of up to MAX_NEAR titles that are near to `text`, nearest first.

        Some words may be of the category instead. A title more than a slip farther than the nearest is left out.
        """
        text = _plain(text)
        found = self._title_index.closest(text, among, _candidates(text))
        titles = [_plain(self._titles[place]) for place in found.tolist()]
        if " " in text:
            codes = (self._category_codes[place] for place in found.tolist())
            titles = [f"{title} {self._categories[code]}" for title, code in zip(titles, codes, strict=True)]
        return _nearest(text, found, titles)[:MAX_NEAR]


def _candidates(text: str) -> int:
    return min(_CANDIDATES, _MAX_CELLS // max(len(text), 1))


def _nearest(text: str, found: NDArray[np.intp], texts: Sequence[str]) -> NDArray[np.int32]:
    """Return those of `found`, which have `texts`, near to `text`: nearest first, of equally near ones the shortest."""
    letters = len(text) - text.count(" ")
    if letters < LETTERS_PER_SLIP or not texts:
        return np.empty(0, np.int32)
    cost = costs(text, texts)
    allowed = min(letters * SLIP // LETTERS_PER_SLIP, _MAX_SLIPS * SLIP) + AFTER_THE_FIRST_WORD
    most = min(cost.min() + SLIP, allowed)
    order = np.lexsort((found, np.fromiter(map(len, texts), np.intp, len(texts)), cost))
    near: NDArray[np.int32] = found[order[cost[order] <= most]].astype(np.int32)
    return near


def _plain(text: str) -> str:
    """Return the first words of a folded text, whatever stands between them; an apostrophe parts none."""
    return _SEPARATORS.sub(" ", text.replace("'", "")).strip()[:_MAX_CHARS]
