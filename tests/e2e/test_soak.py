"""The soak of `benchmarks/soak.py`, shortened."""

from __future__ import annotations

from pathlib import Path

from benchmarks.soak import HOSTILE, LOG_FILES, LOG_MAX_BYTES, soak
from benchmarks.soak_report import judge

SECONDS = 24.0
SAMPLE_EVERY_S = 1.0


def test_nothing_grows_under_hostile_clients_and_no_friendly_one_fails(tmp_path: Path) -> None:
    hostile = {kind: number // 2 for kind, number in HOSTILE.items()}
    samples, failures = soak(SECONDS, tmp_path, hostile, SAMPLE_EVERY_S)
    findings = judge(samples, failures, LOG_FILES * LOG_MAX_BYTES)
    assert [finding.sentence for finding in findings if not finding.holds] == []
    assert samples[-1].orders > samples[0].orders
