"""Rates, resets and quantiles from readings of /metrics."""

from __future__ import annotations

import math

import pytest

from dashboards.metrics.exposition import Labels, Samples
from dashboards.metrics.history import Reading
from dashboards.metrics.scraped import ScrapedSource
from dashboards.metrics.source import Match, last_value

OK: Labels = (("endpoint", "/a"), ("status", "200"))
BAD: Labels = (("endpoint", "/a"), ("status", "500"))
OTHER: Labels = (("endpoint", "/b"), ("status", "200"))


def source(*readings: tuple[float, Samples]) -> ScrapedSource:
    return ScrapedSource(tuple(Reading(at, samples) for at, samples in readings))


def requests(*values: dict[Labels, float]) -> ScrapedSource:
    """Return readings of the counter `r`, 10 seconds apart."""
    return source(*((1_000.0 + 10 * index, {"r": value}) for index, value in enumerate(values)))


def test_a_rate_is_the_increase_over_the_time_between() -> None:
    frame = requests({OK: 100}, {OK: 150}, {OK: 150}).rate("r")
    assert math.isnan(frame["value"][0])
    assert frame["value"].tolist()[1:] == [5.0, 2.5]
    assert str(frame["time"].dt.tz) == "UTC"


def test_a_rate_only_looks_back_a_minute() -> None:
    values = [0.0] + [600.0] * 8
    assert last_value(requests(*({OK: value} for value in values)).rate("r")) == 0


def test_a_rate_is_undefined_across_a_gap_longer_than_the_window() -> None:
    assert last_value(source((1_000, {"r": {OK: 1}}), (1_100, {"r": {OK: 5}})).rate("r")) is None


def test_a_counter_that_fell_began_again_at_zero() -> None:
    assert last_value(requests({OK: 100}, {OK: 110}, {OK: 30}).rate("r")) == pytest.approx((10 + 30) / 20)


def test_a_counter_that_was_missing_before_began_at_zero() -> None:
    assert last_value(requests({OK: 100}, {OK: 100, BAD: 40}).rate("r")) == 4.0


def test_a_counter_that_vanished_in_a_restart_and_came_back_counts_anew() -> None:
    assert last_value(requests({OK: 5, BAD: 40}, {OK: 5}, {OK: 5, BAD: 2}).rate("r")) == pytest.approx(0.1)


def test_rates_are_summed_by_label_and_filtered() -> None:
    counters = requests({OK: 0, BAD: 0, OTHER: 0}, {OK: 10, BAD: 20, OTHER: 30})
    by_endpoint = counters.rate("r", ("endpoint",)).dropna()
    assert dict(zip(by_endpoint["endpoint"], by_endpoint["value"], strict=True)) == {"/a": 3.0, "/b": 3.0}
    assert last_value(counters.rate("r", (), (Match("status", "5.."),))) == 2.0
    assert last_value(counters.rate("r", (), (Match("endpoint", "/a|/x", negated=True),))) == 3.0


def test_totals_are_those_of_the_newest_reading() -> None:
    counters = requests({OK: 100}, {OK: 7, BAD: 3})
    assert last_value(counters.total("r")) == 10
    assert counters.total("r", ("status",)).values.tolist() == [["200", 7.0], ["500", 3.0]]


def test_quantiles_over_time_cover_the_window_and_total_quantiles_everything() -> None:
    def buckets(low: float, total: float) -> Samples:
        return {"h_bucket": {(("le", "1.0"),): low, (("le", "2.0"),): total, (("le", "+Inf"),): total}}

    histogram = source((1_000, buckets(1_000, 1_000)), (1_010, buckets(1_000, 1_010)))
    assert last_value(histogram.quantile(0.5, "h")) == pytest.approx(1.5)
    assert last_value(histogram.total_quantile(0.5, "h")) == pytest.approx(0.505)


def test_unknown_metrics_are_empty_frames_with_their_columns() -> None:
    counters = requests({OK: 1})
    for frame in (counters.rate("x", ("status",)), counters.quantile(0.5, "x", ("status",))):
        assert frame.columns.tolist() == ["time", "status", "value"]
        assert last_value(frame) is None
    for frame in (counters.total("x", ("status",)), counters.level("x", ("status",))):
        assert frame.columns.tolist() == ["status", "value"]
        assert last_value(frame) is None


def test_a_level_is_the_newest() -> None:
    gauge = source((1_000, {"g": {(): 5}}), (1_010, {"g": {(): 7}}))
    assert last_value(gauge.level("g")) == 7
    assert gauge.levels("g")["value"].tolist() == [5, 7]


def test_a_gauge_of_several_replicas_is_summed_on_request() -> None:
    one, two = (("pid", "1"),), (("pid", "2"),)
    gauge = source((1_000, {"g": {one: 5, two: 2}}))
    assert gauge.levels("g")["value"].tolist() == [5]
    assert gauge.levels("g", summed=True)["value"].tolist() == [7]
