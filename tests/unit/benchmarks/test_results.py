from __future__ import annotations

import pytest

from benchmarks.results import Row, Target


def row(ours: tuple[float, ...], theirs: tuple[float, ...] = (), target: Target | None = None) -> Row:
    return Row("GET", "a peer", "responses/s", ours, theirs, target)


def test_a_row_with_a_peer_measures_the_ratio_of_each_pair() -> None:
    # The medians' ratio would be 1: pairs are compared before anything is averaged.
    pairs = row((10.0, 20.0, 30.0), (20.0, 10.0, 30.0))
    assert pairs.values == (0.5, 2.0, 1.0)
    assert pairs.median == 1.0


def test_a_row_without_a_peer_measures_the_shop() -> None:
    assert row((3.0, 1.0, 2.0)).median == 2.0


def test_pairs_that_are_not_complete_are_refused() -> None:
    with pytest.raises(ValueError, match="shorter"):
        _ = row((1.0, 2.0), (1.0,)).values


def test_a_row_whose_other_side_measured_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="a peer measured nothing"):
        row((1.0,), (0.0,))


@pytest.mark.parametrize(
    ("target", "holds"),
    [
        (Target(2.0), True),
        (Target(2.1), False),
        (Target(2.0, at_most=True), True),
        (Target(1.9, at_most=True), False),
        (None, None),
    ],
)
def test_a_target_holds_for_the_median_from_its_side(target: Target | None, holds: bool | None) -> None:
    assert row((1.0, 2.0, 9.0), target=target).holds is holds
