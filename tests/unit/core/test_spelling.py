from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.spelling import LONGEST_NAME, count_slips, nearest_name
from tools.examine.slips import clear_slips, one_slip

NAMES = ["page", "per_page", "sort", "order", "titulo", "categoria", "title", "category", "em", "min", "max"]
NAMES += ["path", "user", "cursor", "items", "notes"]


@pytest.mark.parametrize("meant", NAMES)
def test_every_single_slip_finds_the_name_that_was_meant(meant: str) -> None:
    slips = clear_slips(meant, NAMES)
    assert len(slips) > 50
    assert {nearest_name(slip, NAMES) for slip in slips} == {meant}


@given(st.sampled_from(NAMES), st.data())
def test_a_slip_counts_as_one(name: str, data: st.DataObject) -> None:
    slip = data.draw(st.sampled_from(sorted(set(one_slip(name)) - {name})))
    assert count_slips(slip, name) == count_slips(name, slip) == 1


@given(st.text(max_size=12), st.text(max_size=12))
def test_slips_are_counted_alike_both_ways_and_never_beyond_the_longer_name(one: str, other: str) -> None:
    slips = count_slips(one, other)
    assert slips == count_slips(other, one) <= max(len(one), len(other))
    assert (slips == 0) == (one == other)


def test_a_swap_of_neighbours_is_one_slip() -> None:
    assert count_slips("ordre", "order") == 1
    assert count_slips("kitten", "sitting") == 3


@pytest.mark.parametrize("unknown", ["", "q", "xyz", "🙂", "zzzzzzzzzzzz"])
def test_where_nothing_is_near_nothing_is_proposed(unknown: str) -> None:
    assert nearest_name(unknown, NAMES) is None
    assert nearest_name(unknown, []) is None


@given(st.text(max_size=200))
def test_only_a_known_name_is_ever_proposed(unknown: str) -> None:
    assert nearest_name(unknown, NAMES) in {*NAMES, None}


def test_what_is_beyond_the_longest_name_is_not_compared() -> None:
    assert nearest_name("x" * LONGEST_NAME + "page" * 100_000, NAMES) is None
