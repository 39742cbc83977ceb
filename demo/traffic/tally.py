"""What came of the traffic: answers by actor, how long they took, and what nobody expected."""

from __future__ import annotations

import math
import threading
from collections import Counter, defaultdict, deque
from collections.abc import Sequence
from dataclasses import dataclass, field

NO_ANSWER = 0
_LATENCIES_KEPT = 10_000  # for each actor, so that a demonstration may go on for days
_RECENT = 500


@dataclass
class Tally:
    """Counts of calls; `_lock` protects them all."""

    missed: int = 0
    answers: defaultdict[str, Counter[int]] = field(default_factory=lambda: defaultdict(Counter))
    unexpected: Counter[str] = field(default_factory=Counter)
    _latencies: defaultdict[str, deque[float]] = field(
        default_factory=lambda: defaultdict(lambda: deque(maxlen=_LATENCIES_KEPT))
    )
    _recent: deque[float] = field(default_factory=lambda: deque(maxlen=_RECENT))
    _examples: dict[str, str] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def count_answer(self, actor: str, status: int, seconds: float) -> None:
        with self._lock:
            self.answers[actor][status] += 1
            self._latencies[actor].append(seconds)
            self._recent.append(seconds)

    def count_missed(self) -> None:
        with self._lock:
            self.missed += 1

    def count_unexpected(self, what: str, example: str) -> None:
        """`what` is one of a few; the first `example` of each is kept."""
        with self._lock:
            self.unexpected[what] += 1
            self._examples.setdefault(what, example)

    @property
    def answered(self) -> int:
        """How many calls had an answer, whichever."""
        with self._lock:
            return sum(sum(counts.values()) - counts[NO_ANSWER] for counts in self.answers.values())

    def line(self, elapsed_s: float) -> str:
        """How it goes."""
        answered = self.answered
        with self._lock:
            return (
                f"{elapsed_s:6.0f} s  {answered} answered ({answered / max(elapsed_s, 0.001):.1f}/s), "
                f"{self.missed} missed, {self.unexpected.total()} unexpected, p95 {percentile(self._recent, 95):.0f} ms"
            )

    def report(self) -> str:
        """A line for each actor, and what was unexpected."""
        with self._lock:
            lines = [f"{'actor':<22}{'p50 ms':>8}{'p95 ms':>8}  answers"]
            for actor, counts in sorted(self.answers.items()):
                latencies = self._latencies[actor]
                shown = ", ".join(f"{_name(status)} x {count}" for status, count in sorted(counts.items()))
                lines.append(
                    f"{actor:<22}{percentile(latencies, 50):8.1f}{percentile(latencies, 95):8.1f}  {shown}"
                )
            lines.append(f"missed (late, so not sent): {self.missed}")
            if self.unexpected:
                lines.append("unexpected:")
                lines += [
                    f"  {count} x {what}; the first: {self._examples[what]}"
                    for what, count in self.unexpected.most_common()
                ]
            return "\n".join(lines)


def percentile(seconds: Sequence[float] | deque[float], percent: int) -> float:
    """In milliseconds, by nearest rank; 0 of nothing."""
    if not seconds:
        return 0.0
    return 1_000 * sorted(seconds)[math.ceil(percent / 100 * len(seconds)) - 1]


def _name(status: int) -> str:
    return str(status) if status != NO_ANSWER else "no answer"
