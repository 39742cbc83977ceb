"""Results of the traffic: responses and latencies by actor, and the unexpected responses."""

import math
import threading
from collections import Counter, defaultdict, deque
from collections.abc import Sequence
from dataclasses import dataclass, field

NO_RESPONSE = 0
"""In the place of a status."""
_MAX_LATENCIES = 10_000
"""Per actor, so that a demonstration may go on for days."""
_MAX_RECENT = 500


@dataclass
class Tally:
    """Counts of calls; `_lock` protects them all."""

    missed: int = 0
    statuses: defaultdict[str, Counter[int]] = field(default_factory=lambda: defaultdict(Counter))
    unexpected: Counter[str] = field(default_factory=Counter)
    _latencies: defaultdict[str, deque[float]] = field(
        default_factory=lambda: defaultdict(lambda: deque(maxlen=_MAX_LATENCIES))
    )
    _recent: deque[float] = field(default_factory=lambda: deque(maxlen=_MAX_RECENT))
    _examples: dict[str, str] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def count_response(self, actor: str, status: int, seconds: float) -> None:
        with self._lock:
            self.statuses[actor][status] += 1
            self._latencies[actor].append(seconds)
            self._recent.append(seconds)

    def count_missed(self) -> None:
        with self._lock:
            self.missed += 1

    def count_unexpected(self, problem: str, example: str) -> None:
        """Count a `problem`, one of a few, and keep the first `example` of it."""
        with self._lock:
            self.unexpected[problem] += 1
            self._examples.setdefault(problem, example)

    @property
    def responses(self) -> int:
        """Count the calls that had a response."""
        with self._lock:
            return sum(sum(counts.values()) - counts[NO_RESPONSE] for counts in self.statuses.values())

    def line(self, elapsed_s: float) -> str:
        """Describe the progress in a line."""
        responses = self.responses
        with self._lock:
            return (
                f"{elapsed_s:6.0f} s  {responses} answered ({responses / max(elapsed_s, 0.001):.1f}/s), "
                f"{self.missed} missed, {self.unexpected.total()} unexpected, p95 {percentile(self._recent, 95):.0f} ms"
            )

    def report(self) -> str:
        """Describe the results: a line for each actor, and what was unexpected."""
        with self._lock:
            lines = [f"{'actor':<22}{'p50 ms':>8}{'p95 ms':>8}  answers"]
            for actor, counts in sorted(self.statuses.items()):
                latencies = self._latencies[actor]
                counts_text = ", ".join(
                    f"{_name(status)} x {count}" for status, count in sorted(counts.items())
                )
                lines.append(
                    f"{actor:<22}{percentile(latencies, 50):8.1f}{percentile(latencies, 95):8.1f}  {counts_text}"
                )
            lines.append(f"missed (late, so not sent): {self.missed}")
            if self.unexpected:
                lines.append("unexpected:")
                lines += [
                    f"  {count} x {problem}; the first: {self._examples[problem]}"
                    for problem, count in self.unexpected.most_common()
                ]
            return "\n".join(lines)


def percentile(seconds: Sequence[float] | deque[float], percent: int) -> float:
    """Return a percentile in milliseconds, by nearest rank; 0 if there are no values."""
    if not seconds:
        return 0.0
    return 1_000 * sorted(seconds)[math.ceil(percent / 100 * len(seconds)) - 1]


def _name(status: int) -> str:
    return str(status) if status != NO_RESPONSE else "no answer"
