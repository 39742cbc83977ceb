"""Ranks of texts."""

from __future__ import annotations

import heapq
from array import array
from collections.abc import Sequence

_SORTED_AT_ONCE = 4_096
"""Texts that one call sorts, since it holds the interpreter lock meanwhile."""


def ranks(texts: Sequence[str]) -> array[int]:
    """Return the place of each text among the different ones, from 0 on."""
    starts = range(0, len(texts), _SORTED_AT_ONCE)
    runs = (range(start, min(start + _SORTED_AT_ONCE, len(texts))) for start in starts)
    found = array("i", bytes(4 * len(texts)))
    rank, previous = -1, None
    for place in heapq.merge(*(sorted(run, key=texts.__getitem__) for run in runs), key=texts.__getitem__):
        if texts[place] != previous:
            rank, previous = rank + 1, texts[place]
        found[place] = rank
    return found
