"""The rule by which a soak is judged, and its curves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from xml.etree import ElementTree

import pytest

from benchmarks.soak_report import Sample, draw_curves, judge

SAMPLE = Sample(
    at_s=10.0,
    memory_mb=200.0,
    open_files=500,
    threads=75,
    series=900,
    log_bytes=2_000_000,
    database_bytes=1_000_000,
    orders=10,
    requests=100,
    p50_ms=2.0,
    p99_ms=40.0,
)
LOG_LIMIT = 3_000_000


def samples(**last: Any) -> list[Sample]:
    """Return nine samples; the last three differ by `last`."""
    return [replace(SAMPLE, at_s=10.0 * place, **(last if place > 6 else {})) for place in range(1, 10)]


def broken(run: Sequence[Sample], failures: Sequence[str] = ()) -> list[str]:
    return [finding.sentence for finding in judge(run, failures, LOG_LIMIT) if not finding.holds]


def test_a_run_that_stays_the_same_is_flat() -> None:
    assert broken(samples()) == []


def test_a_run_that_warms_up_in_its_first_third_is_flat() -> None:
    cold = [replace(sample, memory_mb=100.0) for sample in samples()[:3]]
    assert broken([*cold, *samples()[3:]]) == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("memory_mb", 230.0),
        ("open_files", 600),
        ("threads", 100),
        ("series", 1_000),
        ("p99_ms", 100.0),
        ("log_bytes", LOG_LIMIT + 1),
        ("database_bytes", 10_000_000),
    ],
)
def test_what_grows_is_named(name: str, value: float) -> None:
    [sentence] = broken(samples(**{name: value}))
    assert sentence.startswith("GROWS")
    assert name.partition("_")[0] in sentence


def test_a_database_may_grow_by_its_orders() -> None:
    assert broken(samples(database_bytes=10_000_000, orders=5_000)) == []


def test_a_friendly_request_that_failed_is_shown() -> None:
    [sentence] = broken(samples(), ["GET /api/v1/books/1: 503 b''"])
    assert "1 failed: GET /api/v1/books/1: 503" in sentence


def test_each_column_is_a_curve() -> None:
    picture = ElementTree.fromstring(draw_curves(samples()))
    assert len(picture.findall("{http://www.w3.org/2000/svg}polyline")) == 8
