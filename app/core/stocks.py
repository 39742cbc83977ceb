"""The copies of each book, shared between snapshots but for the few that a sale changes."""

from __future__ import annotations

from array import array
from collections.abc import Mapping, Sequence

_CHUNK = 1_024


class Stocks(Sequence[int]):
    """Copies by the position of their book. Immutable; what `with_changes` returns shares the chunks that stay."""

    __slots__ = ("_chunks", "_length")

    def __init__(self, copies: array[int]) -> None:
        self._chunks = [copies[first : first + _CHUNK] for first in range(0, len(copies), _CHUNK)]
        self._length = len(copies)

    def with_changes(self, changes: Mapping[int, int]) -> Stocks:
        """Return the same stocks but for `changes`, copies by position, in time proportional to them."""
        changed = Stocks(array("q"))
        changed._chunks, changed._length = self._chunks.copy(), self._length
        for position, copies in changes.items():
            number, place = divmod(position, _CHUNK)
            if changed._chunks[number] is self._chunks[number]:
                changed._chunks[number] = self._chunks[number][:]
            changed._chunks[number][place] = copies
        return changed

    def to_array(self) -> array[int]:
        """Return all copies, by position."""
        copies = array("q")
        for chunk in self._chunks:
            copies.extend(chunk)
        return copies

    def __len__(self) -> int:
        return self._length

    def __getitem__(self, position: int) -> int:  # type: ignore[override]
        return self._chunks[position // _CHUNK][position % _CHUNK]
