"""The tables and the chart that docs/performance.md shows."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest

from benchmarks.chart import draw
from benchmarks.growth import DISTURBED, IDLE, MEMORY, ONE_BOOK, ORDERS, growth_rows
from benchmarks.profiles import hottest
from benchmarks.report import comparison_table, growth_table, number, profile_tables
from benchmarks.results import Row, Target

RATES = Row("GET one", "the limit", "responses/s", (100.0, 300.0, 200.0), (400.0, 400.0, 400.0), Target(0.75))
LATENCY = Row("p99", "-", "ms", (1.5,), target=Target(2, at_most=True))
MEASURED = {
    ONE_BOOK: {1_000: (100.0,), 100_000: (90.0,)},
    ORDERS: {1_000: (100.0,), 100_000: (50.0,)},
    MEMORY: {1_000: (100.0,), 100_000: (199.0,)},
    IDLE: {1_000: (1.0,), 100_000: (2.0,)},
    DISTURBED: {1_000: (1.0,), 100_000: (3.0,)},
}
FOLDED = 'process 1:"python";serve (a.py:1);read (b.py:2) 3\nprocess 1:"python";serve (a.py:1) 1\n'


def test_a_row_shows_its_target_its_median_its_range_and_both_medians() -> None:
    [_, _, rates, latency] = comparison_table([RATES, LATENCY]).splitlines()
    assert rates == (
        "| GET one | the limit | **at least 0.75** | 0.50 | 0.25 to 0.75 | 200 responses/s | 400 responses/s | **no** |"
    )
    assert latency == "| p99 | - | **at most 2** | 1.50 ms | 1.50 to 1.50 | 1.50 ms |  | yes |"


@pytest.mark.parametrize("bound", [10.0, 1.1, 0.75, 40.0])
def test_a_target_keeps_every_digit_that_matters(bound: float) -> None:
    row = Row("GET", "a peer", "ms", (1.0,), target=Target(bound))
    assert f"**at least {bound:g}**" in comparison_table([row])


def test_growth_has_a_column_for_each_size_and_a_gap_where_nothing_was_measured() -> None:
    table = growth_table({ONE_BOOK: {1_000: (3.0, 1.0, 2.0), 10_000: (1.0,)}, ORDERS: {1_000: (5.0,)}})
    assert table.splitlines() == [
        "|  | 1,000 books | 10,000 books |",
        "| --- | --- | --- |",
        f"| {ONE_BOOK} | 2.00 | 1.00 |",
        f"| {ORDERS} | 5.00 |  |",
    ]


def test_growth_compares_the_large_shops_with_the_smallest() -> None:
    rows = {row.work: row for row in growth_rows(MEASURED)}
    assert rows["GET one book, 100,000 books"].holds
    assert not rows["POST /orders, 100,000 books"].holds
    assert rows["memory a book, 100,000 books"].ours == (1.0,)
    assert rows["GET one book, 4 connections, p99, during a publication of 100,000 books"].values == (1.5,)
    assert not any("1,000,000" in work for work in rows)


def test_a_profile_names_the_functions_with_the_most_samples_of_their_own() -> None:
    assert hottest(FOLDED) == [("read (b.py:2)", 0.75, 0.75), ("serve (a.py:1)", 0.25, 1.0)]
    assert "| `read (b.py:2)` | 75% | 75% |" in profile_tables({"GET one": FOLDED})


def test_the_chart_is_an_image_with_a_bar_for_each_side_and_a_line_for_each_figure() -> None:
    chart = ElementTree.fromstring(draw([RATES], MEASURED))
    assert [element.tag.rpartition("}")[2] for element in chart].count("polyline") == 2
    texts = [element.text for element in chart]
    assert {"the shop", "the limit", "GET one book", "POST /orders"} <= set(texts)


@pytest.mark.parametrize(
    ("value", "shown"), [(36_614.2, "36,614"), (99.94, "99.9"), (12.345, "12.3"), (0.0468, "0.05")]
)
def test_a_number_has_the_digits_that_matter(value: float, shown: str) -> None:
    assert number(value) == shown
