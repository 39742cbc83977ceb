"""Whether the inputs of predictions still look like the training data."""

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
"""With fewer rows, the index would be mostly noise: about (BINS - 1) / rows without any drift."""
_FENCE: Final = 3.0


@dataclass(frozen=True, slots=True)
class FeatureProfile:
    """A feature of the training data: the inner edges of its bins, the share of each bin, and its outer fences."""

    edges: tuple[float, ...]
    shares: tuple[float, ...]
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Profile:
    """The distribution of the training data by the name of each basic feature, and their categories."""

    features: Mapping[str, FeatureProfile]
    categories: frozenset[str]

    @classmethod
    def of(cls, rows: Sequence[Row]) -> Profile:
        """Describe `rows`: bins end at the deciles, fences lie three interquartile ranges beyond the quartiles.

        Values beyond such fences are "far out" (Tukey, Exploratory Data Analysis, 1977); here the fences enclose all
        of `rows`, too.
        """
        numbers = matrix(rows, FeatureSet.BASIC, ())
        features = {name: _profile(numbers[:, column]) for column, name in enumerate(BASIC_FEATURES)}
        return cls(features, frozenset(row[CATEGORY] for row in rows))

    @classmethod
    def from_json(cls, features: Mapping[str, Mapping[str, Any]], categories: Iterable[str]) -> Profile:
        """Restore a profile from the features that `as_json` returned."""
        profiles = {
            name: FeatureProfile(tuple(values["bordas"]), tuple(values["fracoes"]), *values["cercas"])
            for name, values in features.items()
        }
        return cls(profiles, frozenset(categories))

    def as_json(self) -> dict[str, Any]:
        return {
            name: {
                "bordas": [*profile.edges],
                "fracoes": [*profile.shares],
                "cercas": [profile.low, profile.high],
            }
            for name, profile in self.features.items()
        }

    def out_of_distribution(self, row: Row) -> list[str]:
        """Return the features of `row` beyond the fences, and CATEGORY if the training data lack its category."""
        names = [
            name for name, profile in self.features.items() if not profile.low <= row[name] <= profile.high
        ]
        known = row.get(CATEGORY) is None or row[CATEGORY] in self.categories
        return names if known else [*names, CATEGORY]


class Window:
    """The last WINDOW rows, as the bins that they fall into. Not thread-safe: its owner locks."""

    def __init__(self, profile: Profile) -> None:
        self._features = profile.features
        self._bins: deque[tuple[int, ...]] = deque()
        self._counts = {name: [0] * len(feature.shares) for name, feature in profile.features.items()}

    def add(self, rows: Sequence[Row]) -> None:
        for row in rows[-WINDOW:]:
            bins = tuple(bisect_right(profile.edges, row[name]) for name, profile in self._features.items())
            self._bins.append(bins)
            self._count(bins, 1)
            if len(self._bins) > WINDOW:
                self._count(self._bins.popleft(), -1)

    def indices(self) -> dict[str, float]:
        """Return the population stability index of each feature; 0 until MIN_SEEN rows were added.

        The sum over all bins of (actual - expected) * ln(actual / expected), both shares of 1; empty bins count as
        half a row. By convention, below 0.1 is like the training data, above 0.25 is not (Siddiqi, Credit Risk
        Scorecards, 2006).
        """
        enough = len(self._bins) >= MIN_SEEN
        return {
            name: _stability_index(profile.shares, self._counts[name]) if enough else 0.0
            for name, profile in self._features.items()
        }

    def _count(self, bins: tuple[int, ...], change: int) -> None:
        for counts, bin_number in zip(self._counts.values(), bins, strict=True):
            counts[bin_number] += change


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


def _stability_index(shares: Sequence[float], counts: Sequence[int]) -> float:
    rows = sum(counts)
    half_a_row = 0.5 / rows
    index = 0.0
    for share, count in zip(shares, counts, strict=True):
        expected, actual = max(share, half_a_row), max(count / rows, half_a_row)
        index += (actual - expected) * math.log(actual / expected)
    return index
