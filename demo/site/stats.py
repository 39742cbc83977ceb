"""What the demonstration shop's clients have done."""

import threading
from collections import Counter
from copy import deepcopy
from dataclasses import dataclass, field


@dataclass
class Stats:
    """Counts of requests, those that were dropped or truncated on purpose included."""

    requests: int = 0
    in_flight: int = 0
    max_concurrent: int = 0  # says something only if answering takes time (Faults.latency_s)
    by_status: Counter[int] = field(default_factory=Counter)
    by_path: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    user_agents: Counter[str] = field(default_factory=Counter)


class Ledger:
    """Keeps the Stats; `_lock` protects them."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._stats = Stats()

    def snapshot(self) -> Stats:
        with self._lock:
            return deepcopy(self._stats)

    def arrived(self, path: str, user_agent: str) -> int:
        """Count a request in; returns how often this path has been asked for."""
        with self._lock:
            stats = self._stats
            stats.requests += 1
            stats.in_flight += 1
            stats.max_concurrent = max(stats.max_concurrent, stats.in_flight)
            stats.by_path[path] += 1
            stats.user_agents[user_agent] += 1
            return stats.by_path[path]

    def leaving(self, status: int | None, fault: str = "") -> None:
        """Count a request out before its answer is sent.

        Afterwards the client may already have sent its next one: it would look greedy and keep to its limit.
        """
        with self._lock:
            self._stats.in_flight -= 1
            if status is not None:
                self._stats.by_status[status] += 1
            if fault:
                self._stats.faults[fault] += 1
