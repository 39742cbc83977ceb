"""Simulated days of three replicas on PostgreSQL; benchmarks/schedule.py lives a thousand of them."""

from __future__ import annotations

from pathlib import Path

from tests.support.schedule_days import open_days

DAYS = 30


def test_each_due_run_happens_once_although_the_clock_jumps_and_processes_die(
    database_url: str, tmp_path: Path
) -> None:
    with open_days(database_url, tmp_path, seed=3) as days:
        report = days.run(DAYS, jump_share=0.4)
    assert report.problems() == []
    assert len(report.done) > DAYS
    assert report.kills == DAYS
    assert report.p_value > 0.01
