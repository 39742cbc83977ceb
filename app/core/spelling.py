"""The known name that an unknown one may be a misspelling of."""

from collections.abc import Iterable
from difflib import get_close_matches

LONGEST_NAME = 40
"""Characters of an unknown name that are compared, so that a hostile one costs no time."""
_CANDIDATES = 3
_MIN_LIKENESS = 0.5
"""The least share of common characters: one wrong character in a name of two."""


def nearest_name(unknown: str, known: Iterable[str]) -> str | None:
    """Return the name of `known` that `unknown` is nearest to; None where none is near."""
    unknown = unknown[:LONGEST_NAME]
    near = get_close_matches(unknown, list(known), n=_CANDIDATES, cutoff=_MIN_LIKENESS)
    # difflib counts common characters, and prefers a longer name that has them to one that is a slip away.
    return min(near, key=lambda name: count_slips(unknown, name), default=None)


def count_slips(one: str, other: str) -> int:
    """Return how many substitutions, deletions, insertions or swaps of neighbours make `other` of `one`."""
    before: list[int] = []
    above = list(range(len(other) + 1))
    for i, char in enumerate(one, 1):
        row = [i]
        for j, goal in enumerate(other, 1):
            slips = min(above[j] + 1, row[j - 1] + 1, above[j - 1] + (char != goal))
            if i > 1 < j and char == other[j - 2] and one[i - 2] == goal:
                slips = min(slips, before[j - 2] + 1)
            row.append(slips)
        before, above = above, row
    return above[-1]
