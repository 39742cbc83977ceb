"""How many slips of a keyboard lie between a text and the nearest words of others."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

SLIP = np.int16(8)
"""The cost of a character put in, left out, mistaken for another, or swapped with the next."""
AFTER_THE_FIRST_WORD = np.int16(1)
"""The cost of a place that is not at the beginning of the other text."""
_INSIDE_A_WORD = SLIP
_UNFINISHED_WORD = 2
_WORD_ELSEWHERE = np.int16(4)
_FILLER = "\0"


def costs(text: str, others: Sequence[str]) -> NDArray[np.int16]:
    """Return what the cheapest place for `text` in each of `others` costs; all are words with a space between them.

    A place begins with a word, or inside of one for a slip, and each word of `text` may have one of its own. This is
    the edit distance of Damerau and Levenshtein, computed for all of `others` at once, a character of `text` at a time.
    """
    chars = _as_columns(others)
    length, count = chars.shape
    letters = (chars != ord(" ")) & (chars != ord(_FILLER))
    # Row n of these is about the place before the n-th character of each of the others.
    begin = np.full((length + 1, count), _INSIDE_A_WORD, np.int16)
    begin[1:][~letters] = AFTER_THE_FIRST_WORD
    begin[0] = 0
    end = np.zeros((length + 1, count), np.int16)
    end[:-1][letters] = _UNFINISHED_WORD
    left_out = np.arange(length + 1, dtype=np.int16)[:, np.newaxis] * SLIP
    mistaken = {char: (chars != ord(char)) * SLIP for char in set(text)}
    before_last, last, previous = begin, begin, ""
    for char in text:
        now = last + SLIP
        np.minimum(now[1:], last[:-1] + mistaken[char], out=now[1:])
        if previous:
            swapped = before_last[:-2] + SLIP + mistaken[char][:-1] + mistaken[previous][1:]
            np.minimum(now[2:], swapped, out=now[2:])
        now -= left_out
        np.minimum.accumulate(now, axis=0, out=now)
        now += left_out
        if char == " ":
            elsewhere = (last + end).min(axis=0) + _WORD_ELSEWHERE
            np.minimum(now, begin + elsewhere, out=now)
        before_last, last, previous = last, now, char
    cheapest: NDArray[np.int16] = (last + end).min(axis=0)
    return cheapest


def _as_columns(texts: Sequence[str]) -> NDArray[np.uint32]:
    """Return the codes of each text in a column, and fillers below the shorter ones."""
    length = max(map(len, texts)) + 1
    joined = "".join(text.ljust(length, _FILLER) for text in texts)
    codes = np.frombuffer(joined.encode("utf-32-le"), np.uint32)
    return np.ascontiguousarray(codes.reshape(len(texts), length).T)
