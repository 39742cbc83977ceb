"""Search in many titles at once."""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Sequence

_BLOCK = 1_024
"""Titles to a block, so that no call holds the interpreter lock for long."""
_SEPARATOR = "\0"
_MANY = _BLOCK // 16
"""Matches in a block from which asking title by title is faster than going from match to match."""


class _Block:
    """Consecutive titles: their texts, and all of them in one, in which a rare text is found fastest."""

    __slots__ = ("starts", "text", "titles")

    def __init__(self, titles: Sequence[str]) -> None:
        self.titles = titles
        self.text = _SEPARATOR.join(titles)
        self.starts = array("i")
        start = 0
        for title in titles:
            self.starts.append(start)
            start += len(title) + 1


class TitleSearch:
    """Titles for searches of a literal text, by position. Immutable."""

    def __init__(self, titles: Sequence[str]) -> None:
        # A separator inside of a title would make two of it; no database and no page of HTML lets one in.
        clean = [title.replace(_SEPARATOR, " ") if _SEPARATOR in title else title for title in titles]
        self._blocks = [_Block(clean[first : first + _BLOCK]) for first in range(0, len(clean), _BLOCK)]

    def matches(self, text: str) -> bytes:
        """Return a byte for each title: 1 where it contains `text`, else 0."""
        if not text or _SEPARATOR in text:
            return bytes(0 if text else 1 for block in self._blocks for _ in block.titles)
        found = []
        many = False  # books beside each other are alike: what the last block had predicts the next
        for block in self._blocks:
            marks = None if many else _go_through(block, text)
            found.append(_ask_each(block, text) if marks is None else marks)
            many = found[-1].count(1) > _MANY
        return b"".join(found)


def _ask_each(block: _Block, text: str) -> bytes:
    return bytes([text in title for title in block.titles])


def _go_through(block: _Block, text: str) -> bytes | None:
    """Return the marks of a block, None where it has too many matches for this way."""
    joined, starts = block.text, block.starts
    marks = bytearray(len(starts))
    at = joined.find(text)
    matches = 0
    while at >= 0:
        number = bisect_right(starts, at) - 1
        marks[number] = 1
        matches += 1
        if matches > _MANY:
            return None
        at = joined.find(text, starts[number + 1]) if number + 1 < len(starts) else -1
    return bytes(marks)
