"""Counts of the requests that the demonstration shop has served."""

import threading
from collections import Counter
from copy import deepcopy
from dataclasses import dataclass, field


@dataclass
class Stats:
    """Counts of requests, including those that were dropped or truncated on purpose."""

    requests: int = 0
    in_flight: int = 0
    max_concurrent: int = 0
    """Meaningful only if responses take time (Faults.latency_s)."""
    by_status: Counter[int] = field(default_factory=Counter)
    by_path: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    user_agents: Counter[str] = field(default_factory=Counter)


class StatsRecorder:
    """Keep the Stats; `_lock` protects them."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._stats = Stats()

    def snapshot(self) -> Stats:
        with self._lock:
            return deepcopy(self._stats)

    def begin_request(self, path: str, user_agent: str) -> int:
        """Count a request in and return the number of requests for its path so far."""
        with self._lock:
            stats = self._stats
            stats.requests += 1
            stats.in_flight += 1
            stats.max_concurrent = max(stats.max_concurrent, stats.in_flight)
            stats.by_path[path] += 1
            stats.user_agents[user_agent] += 1
            return stats.by_path[path]

    def end_request(self, status: int | None, fault: str = "") -> None:
        """Count a request out, before its response is sent.

        Afterwards a client that keeps to its limit may already have sent its next one, and would seem to exceed it.
        """
        with self._lock:
            self._stats.in_flight -= 1
            if status is not None:
                self._stats.by_status[status] += 1
            if fault:
                self._stats.faults[fault] += 1
