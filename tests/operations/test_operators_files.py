from __future__ import annotations

from tests.support.operators_files import hurried

RULES = "record: a:rate5m\nexpr: rate(x[5m]) > 7 * 86400 or y[1h]\nfor: 1m\nfor: 30s"


def test_hurrying_changes_windows_and_patience_only() -> None:
    assert (
        hurried(RULES, 15) == "record: a:rate5m\nexpr: rate(x[20s]) > 7 * 86400 or y[240s]\nfor: 4s\nfor: 2s"
    )
    assert (
        hurried(RULES, 1)
        == "record: a:rate5m\nexpr: rate(x[300s]) > 7 * 86400 or y[3600s]\nfor: 60s\nfor: 30s"
    )
