"""The year of publications of `benchmarks/history.py`, shortened."""

from __future__ import annotations

from pathlib import Path

from benchmarks.history import COMPARED, GROWTH_LIMIT_MB, remember


def test_past_catalogues_are_what_was_served_and_the_database_stays_small(tmp_path: Path) -> None:
    report = remember(tmp_path / "data", publications=20, books=100, requests=40)
    assert (report.compared, report.different) == (20 * 2 * len(COMPARED), [])
    assert 0 < report.growth_mb < GROWTH_LIMIT_MB * 20 / 365
    assert len(report.past_ms) == 40
