"""Quantiles against the definition in Prometheus' documentation."""

from __future__ import annotations

import math

import pytest

from dashboards.metrics.histograms import histogram_quantile

INF = math.inf


@pytest.mark.parametrize(
    ("quantile", "bounds", "counts", "expected"),
    [
        (0.5, [1, 2, INF], [0, 10, 10], 1.5),
        (0.5, [1, 2, INF], [10, 10, 10], 0.5),  # the first bucket begins at 0
        (0.95, [1, 2, INF], [0, 0, 10], 2),  # beyond the last bound: that bound
        (0.5, [-1, 2, INF], [10, 10, 10], -1),  # a bound that is not positive is not interpolated
        (-0.1, [1, INF], [1, 1], -INF),
        (1.1, [1, INF], [1, 1], INF),
        (0.5, [1, 2, INF], [4, 3, 10], 2),  # a dip is levelled
    ],
)
def test_a_quantile_is_interpolated_in_its_bucket(
    quantile: float, bounds: list[float], counts: list[float], expected: float
) -> None:
    assert histogram_quantile(quantile, bounds, counts) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("quantile", "bounds", "counts"),
    [
        (0.5, [], []),
        (0.5, [INF], [3]),
        (0.5, [1, 2], [3, 3]),
        (0.5, [1, INF], [0, 0]),
        (0, [1, 2, INF], [0, 10, 10]),
        (0.5, [1, INF], [math.nan, math.nan]),
        (math.nan, [1, INF], [1, 1]),
    ],
)
def test_an_undefined_quantile_is_not_a_number(
    quantile: float, bounds: list[float], counts: list[float]
) -> None:
    assert math.isnan(histogram_quantile(quantile, bounds, counts))
