from __future__ import annotations

from demo.traffic.tally import percentile


def test_percentiles_are_by_nearest_rank() -> None:
    seconds = [milliseconds / 1_000 for milliseconds in range(1, 101)]
    assert [percentile(seconds, 50), percentile(seconds, 95), percentile([], 50)] == [50, 95, 0]
