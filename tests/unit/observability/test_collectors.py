from __future__ import annotations

from app.observability.collectors import ProcessesCollector

NO_PID = 2**22 + 1
"""More than any process' number can be."""


def test_where_processes_cannot_be_read_there_are_no_figures_of_them() -> None:
    assert list(ProcessesCollector(NO_PID).collect()) == []
