"""The last readings of `/metrics`, for when no Prometheus keeps them."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from dashboards.client.http_client import Problem
from dashboards.metrics.exposition import Samples

KEEP_S = 900.0
MAX_READINGS = 400


@dataclass(frozen=True, slots=True)
class Reading:
    at: float
    samples: Samples


class History:
    """Bounded, and shared by everybody who looks at this dashboard; it grows when somebody looks.

    `_reading` lets one viewer at a time wait for the API, while the others go on with what the last one found,
    readings or a failure; `_lock` protects that, and nobody waits while holding it.
    """

    def __init__(
        self, read: Callable[[], Samples], *, spacing_s: float = 1.0, clock: Callable[[], float] = time.time
    ) -> None:
        self._read = read
        self._spacing_s = spacing_s
        self._clock = clock
        self._reading = threading.Lock()
        self._lock = threading.Lock()
        self._readings: deque[Reading] = deque(maxlen=MAX_READINGS)
        self._failure: Problem | None = None
        self._tried_at: float | None = None

    def readings(self) -> tuple[Reading, ...]:
        """Oldest first; reads once more unless the last try is fresh. A failure to read is the caller's to tell."""
        # Only who looks before anything is known has to wait for another viewer's reading.
        if not self._fresh() and self._reading.acquire(blocking=self._tried_at is None):
            try:
                if not self._fresh():
                    self._try_to_read()
            finally:
                self._reading.release()
        with self._lock:
            if self._failure is not None:
                raise self._failure.with_traceback(None)
            return tuple(self._readings)

    def _fresh(self) -> bool:
        """Negative ages are those of a clock that was set back."""
        with self._lock:
            return self._tried_at is not None and 0 <= self._clock() - self._tried_at < self._spacing_s

    def _try_to_read(self) -> None:
        now, samples, failure = self._clock(), None, None
        try:
            samples = self._read()
        except Problem as problem:
            failure = problem
        with self._lock:
            self._failure, self._tried_at = failure, self._clock()
            if samples is None:
                return
            if self._readings and now < self._readings[-1].at:
                self._readings.clear()  # the clock was set back
            self._readings.append(Reading(now, self._with_known_labels(samples)))
            while self._readings[0].at < now - KEEP_S:
                self._readings.popleft()

    def _with_known_labels(self, samples: Samples) -> Samples:
        """The same samples, whose labels take no memory again that the previous reading already takes."""
        if not self._readings:
            return samples
        previous = self._readings[-1].samples
        known = {name: {labels: labels for labels in series} for name, series in previous.items()}
        return {
            name: {known.get(name, {}).get(labels, labels): value for labels, value in series.items()}
            for name, series in samples.items()
        }
