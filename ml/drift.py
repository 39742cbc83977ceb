"""Whether what is asked still looks like what was learnt from."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from ml.features import BASIC_FEATURES, CATEGORY, FeatureSet, Matrix, Row, matrix

BINS: Final = 10
WINDOW: Final = 1_000
MIN_SEEN: Final = 200
"""With fewer rows, the index would be mostly noise: about (BINS - 1) / rows where nothing has drifted."""
_FENCE: Final = 3.0


@dataclass(frozen=True, slots=True)
class FeatureProfile:
    """A feature of the training data: the inner edges of its bins, the share of each, and its outer fences."""

    edges: tuple[float, ...]
    shares: tuple[float, ...]
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Profile:
    """The distribution of the training data, by the name of each basic feature, and the categories there were."""

    features: Mapping[str, FeatureProfile]
    categories: frozenset[str]

    @classmethod
    def of(cls, rows: Sequence[Row]) -> Profile:
        """Bins at the deciles; fences three interquartile ranges beyond the quartiles (Tukey, Exploratory Data
        Analysis, 1977: what lies beyond them is "far out"), and around all that was learnt from."""
        numbers = matrix(rows, FeatureSet.BASIC, ())
        features = {name: _profile(numbers[:, place]) for place, name in enumerate(BASIC_FEATURES)}
        return cls(features, frozenset(row[CATEGORY] for row in rows))

    @classmethod
    def from_json(cls, features: Mapping[str, Mapping[str, Any]], categories: Iterable[str]) -> Profile:
        """What `as_json` made of the features."""
        read = {
            name: FeatureProfile(tuple(each["bordas"]), tuple(each["fracoes"]), *each["cercas"])
            for name, each in features.items()
        }
        return cls(read, frozenset(categories))

    def as_json(self) -> dict[str, Any]:
        return {
            name: {"bordas": list(each.edges), "fracoes": list(each.shares), "cercas": [each.low, each.high]}
            for name, each in self.features.items()
        }

    def far_out(self, row: Row) -> list[str]:
        """The features of `row` that lie beyond the fences of the training data, or a category that it hasn't."""
        far = [name for name, each in self.features.items() if not each.low <= row[name] <= each.high]
        return far if row.get(CATEGORY) is None or row[CATEGORY] in self.categories else [*far, CATEGORY]


class Window:
    """The last WINDOW rows, as the bins they fall into. Not safe to share: whoever owns it locks."""

    def __init__(self, profile: Profile) -> None:
        self._features = profile.features
        self._bins: deque[tuple[int, ...]] = deque()
        self._counts = {name: [0] * len(each.shares) for name, each in profile.features.items()}

    def add(self, rows: Sequence[Row]) -> None:
        for row in rows[-WINDOW:]:
            bins = tuple(bisect_right(each.edges, row[name]) for name, each in self._features.items())
            self._bins.append(bins)
            self._count(bins, 1)
            if len(self._bins) > WINDOW:
                self._count(self._bins.popleft(), -1)

    def indices(self) -> dict[str, float]:
        """The population stability index of each feature; 0 until MIN_SEEN rows were seen.

        The sum over all bins of (asked - learnt) * ln(asked / learnt), each a share of 1; empty bins count as
        half a row. By convention below 0.1 is like the training data, above 0.25 is not (Siddiqi, Credit Risk
        Scorecards, 2006).
        """
        enough = len(self._bins) >= MIN_SEEN
        return {
            name: _stability(each.shares, self._counts[name]) if enough else 0.0
            for name, each in self._features.items()
        }

    def _count(self, bins: tuple[int, ...], change: int) -> None:
        for counts, place in zip(self._counts.values(), bins, strict=True):
            counts[place] += change


def _profile(values: Matrix) -> FeatureProfile:
    edges = sorted({float(edge) for edge in np.quantile(values, np.arange(1, BINS) / BINS)})
    counts = np.bincount(np.searchsorted(edges, values, side="right"), minlength=len(edges) + 1)
    first, third = (float(edge) for edge in np.quantile(values, (0.25, 0.75)))
    reach = _FENCE * (third - first)
    return FeatureProfile(
        tuple(edges),
        tuple((counts / len(values)).tolist()),
        min(first - reach, float(values.min())),
        max(third + reach, float(values.max())),
    )


def _stability(learnt: Sequence[float], counts: Sequence[int]) -> float:
    seen = sum(counts)
    half_a_row = 0.5 / seen
    index = 0.0
    for share, count in zip(learnt, counts, strict=True):
        before, now = max(share, half_a_row), max(count / seen, half_a_row)
        index += (now - before) * math.log(now / before)
    return index
