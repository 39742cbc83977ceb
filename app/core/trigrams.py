"""Texts by the three-character pieces in them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

_BLOCK_BITS = 14
_BLOCK = 1 << _BLOCK_BITS
"""Texts to a block, so that no call holds the interpreter lock for long and that a key has 32 bits."""
_IN_BLOCK = _BLOCK - 1
_SPACE = 0
_OTHER_SYMBOLS = 27
_MANY_CHARS = 8
"""A swap in a shorter text leaves none of its trigrams whole."""


def _symbols() -> NDArray[np.uint32]:
    """Return the symbol of 6 bits of each code: letters and digits have their own, what is beyond ASCII shares some."""
    codes = np.arange(1 << 16, dtype=np.uint32)
    symbols = np.where(codes < 128, _SPACE, 37 + codes % _OTHER_SYMBOLS).astype(np.uint32)
    for symbol, char in enumerate("abcdefghijklmnopqrstuvwxyz0123456789", 1):
        symbols[ord(char)] = symbol
    return symbols


_SYMBOLS = _symbols()


class TrigramIndex:
    """Finds the texts that share most trigrams with another. Immutable.

    A block is one sorted array of keys, a trigram and the place in the block of a text that has it.
    """

    def __init__(self, texts: Sequence[str]) -> None:
        self._length = len(texts)
        self._blocks = [_keys(texts[first : first + _BLOCK]) for first in range(0, len(texts), _BLOCK)]

    @property
    def nbytes(self) -> int:
        return sum(block.nbytes for block in self._blocks)

    def closest(self, text: str, among: NDArray[np.bool_], most: int) -> NDArray[np.intp]:
        """Return up to `most` positions marked in `among`, of the texts that share most trigrams with `text`."""
        shared = np.zeros(self._length, np.int16)
        firsts = _trigrams_asked(text) << _BLOCK_BITS
        for number, keys in enumerate(self._blocks):
            counts = shared[number * _BLOCK : (number + 1) * _BLOCK]
            starts, ends = np.searchsorted(keys, firsts), np.searchsorted(keys, firsts + _IN_BLOCK, "right")
            for start, end in zip(starts.tolist(), ends.tolist(), strict=True):
                counts[keys[start:end] & _IN_BLOCK] += 1  # a trigram has a text once
        shared[~among] = 0
        fewest = 1
        if self._length > most:
            fewest = max(fewest, int(np.partition(shared, -most)[-most]))
        found = np.flatnonzero(shared >= fewest)
        return found[np.argsort(-shared[found], kind="stable")[:most]]


def _keys(texts: Sequence[str]) -> NDArray[np.uint32]:
    trigrams = _trigrams(f" {'  '.join(texts)} ")
    # Each text has a space before and behind it, so that no trigram belongs to two texts.
    places = np.repeat(
        np.arange(len(texts), dtype=np.uint32), np.fromiter(map(len, texts), np.intp, len(texts)) + 2
    )[1:-1]
    keys = np.sort((trigrams << _BLOCK_BITS | places)[_has_two_letters(trigrams)])
    different = np.ones(len(keys), np.bool_)
    np.not_equal(keys[1:], keys[:-1], out=different[1:])
    unique: NDArray[np.uint32] = keys[different]
    return unique


def _trigrams_asked(text: str) -> NDArray[np.uint32]:
    spellings = [text]
    if len(text) <= _MANY_CHARS:
        spellings += [
            f"{text[:place]}{text[place + 1]}{text[place]}{text[place + 2 :]}"
            for place in range(len(text) - 1)
        ]
    trigrams = np.unique(_trigrams(f" {'  '.join(spellings)} "))
    asked: NDArray[np.uint32] = trigrams[_has_two_letters(trigrams)]
    return asked


def _trigrams(text: str) -> NDArray[np.uint32]:
    symbols = _SYMBOLS[np.frombuffer(text.encode("utf-32-le"), np.uint32) & 0xFFFF]
    trigrams: NDArray[np.uint32] = symbols[:-2] << 12 | symbols[1:-1] << 6 | symbols[2:]
    return trigrams


def _has_two_letters(trigrams: NDArray[np.uint32]) -> NDArray[np.bool_]:
    """Return which trigrams are no end of one text and beginning of another, nor mere punctuation."""
    first, middle, last = trigrams >> 12 != _SPACE, trigrams >> 6 & 63 != _SPACE, trigrams & 63 != _SPACE
    enough: NDArray[np.bool_] = (middle & (first | last)) | (first & last)
    return enough
