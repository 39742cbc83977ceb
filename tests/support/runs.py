"""Wait for the scrapes and trainings of this process."""

from __future__ import annotations

import threading


def join_runs(*prefixes: str, within_s: float = 60) -> None:
    """Join the threads of this process' runs, or only those whose names begin with one of `prefixes`."""
    for thread in threading.enumerate():
        if thread.name.startswith(prefixes or ("scrape-", "training-")):
            thread.join(within_s)
            assert not thread.is_alive(), f"{thread.name} is still running after {within_s} s"
