"""Quantiles of a histogram, as Prometheus' `histogram_quantile` defines them."""

import math
from bisect import bisect_left
from collections.abc import Sequence
from itertools import accumulate


def histogram_quantile(quantile: float, bounds: Sequence[float], counts: Sequence[float]) -> float:
    """Return the value below which the share `quantile` of the observations lies, interpolated in its bucket.

    `bounds` are upper bounds in ascending order and end with infinity; `counts` are cumulative. Return NaN for an
    undefined quantile, and the last finite bound for one above it.
    """
    if len(bounds) < 2 or bounds[-1] != math.inf or math.isnan(quantile):
        return math.nan
    if not 0 <= quantile <= 1:
        return math.copysign(math.inf, quantile)
    counts = list(accumulate(counts, max))  # buckets that were read at slightly different moments may dip
    if not counts[-1] > 0:
        return math.nan
    rank = quantile * counts[-1]
    bucket = bisect_left(counts, rank)
    if bucket == len(counts) - 1:
        return bounds[-2]
    if bucket == 0 and bounds[0] <= 0:
        return bounds[0]
    lower, below = (bounds[bucket - 1], counts[bucket - 1]) if bucket else (0.0, 0.0)
    inside = counts[bucket] - below
    if inside == 0:
        return math.nan  # the quantile 0 of an empty first bucket
    return lower + (bounds[bucket] - lower) * (rank - below) / inside
