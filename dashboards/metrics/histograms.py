"""Quantiles of a histogram, as Prometheus' `histogram_quantile` defines them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import accumulate


def histogram_quantile(quantile: float, bounds: Sequence[float], counts: Sequence[float]) -> float:
    """The value below which the share `quantile` of the observations lies, interpolated in its bucket.

    `bounds` are upper bounds in ascending order and end with infinity; `counts` are cumulative. What can't be
    said is NaN; what lies above the last finite bound is that bound.
    """
    if len(bounds) < 2 or bounds[-1] != math.inf or math.isnan(quantile):
        return math.nan
    if quantile < 0:
        return -math.inf
    if quantile > 1:
        return math.inf
    counts = list(accumulate(counts, max))  # buckets that were read at slightly different moments may dip
    if not counts[-1] > 0:
        return math.nan
    rank = quantile * counts[-1]
    found = next(index for index, count in enumerate(counts) if count >= rank or index == len(counts) - 1)
    if found == len(counts) - 1:
        return bounds[-2]
    if found == 0 and bounds[0] <= 0:
        return bounds[0]
    start, below = (bounds[found - 1], counts[found - 1]) if found else (0.0, 0.0)
    inside = counts[found] - below
    if inside == 0:
        return math.nan  # the quantile 0 of an empty first bucket
    return start + (bounds[found] - start) * (rank - below) / inside
