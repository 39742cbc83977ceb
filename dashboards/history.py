"""The last readings of `/metrics`, for when no Prometheus keeps them."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from dashboards.exposition import Samples

KEEP_S = 900.0
MAX_READINGS = 400


@dataclass(frozen=True, slots=True)
class Reading:
    at: float
    samples: Samples


class History:
    """Bounded, and shared by everybody who looks at this dashboard; it grows when somebody looks."""

    def __init__(
        self, read: Callable[[], Samples], *, spacing_s: float = 1.0, clock: Callable[[], float] = time.time
    ) -> None:
        self._read = read
        self._spacing_s = spacing_s
        self._clock = clock
        self._lock = threading.Lock()
        self._readings: deque[Reading] = deque(maxlen=MAX_READINGS)

    def readings(self) -> tuple[Reading, ...]:
        """Oldest first; reads once more unless the newest is fresh. A failure to read is the caller's to tell."""
        with self._lock:
            now = self._clock()
            if self._readings and now < self._readings[-1].at:
                self._readings.clear()  # the clock was set back
            if not self._readings or now - self._readings[-1].at >= self._spacing_s:
                self._readings.append(Reading(now, self._with_known_labels(self._read())))
            while self._readings[0].at < now - KEEP_S:
                self._readings.popleft()
            return tuple(self._readings)

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
