"""The last readings of `/metrics`, for a dashboard without Prometheus."""

import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from dashboards.client.http_client import RequestFailed
from dashboards.metrics.exposition import Samples

RETENTION_S = 900.0
MAX_READINGS = 400


@dataclass(frozen=True, slots=True)
class Reading:
    at: float
    """Seconds since the epoch."""
    samples: Samples


@dataclass(frozen=True, slots=True)
class _Snapshot:
    """The result of a poll."""

    polled_at: float
    readings: tuple[Reading, ...]
    failure: RequestFailed | None


_NEVER_POLLED = _Snapshot(-math.inf, (), None)


class History:
    """Polls `read` when a viewer asks, at most once per `interval_s`, for all viewers together.

    `_polling` lets one viewer at a time wait for the API, while the others get the last snapshot, which is replaced
    as a whole. `st.cache_data(ttl=...)` would make all viewers wait, repeat a failed poll for each, and keep no past.
    """

    def __init__(
        self, read: Callable[[], Samples], *, interval_s: float = 1.0, clock: Callable[[], float] = time.time
    ) -> None:
        self._read = read
        self._interval_s = interval_s
        self._clock = clock
        self._polling = threading.Lock()
        self._snapshot = _NEVER_POLLED

    def readings(self) -> tuple[Reading, ...]:
        """Return the readings, oldest first; raise RequestFailed if the last poll failed."""
        if self._is_stale() and self._polling.acquire(blocking=self._snapshot is _NEVER_POLLED):
            try:
                if self._is_stale():  # no other viewer has polled since
                    self._snapshot = self._poll(self._snapshot.readings)
            finally:
                self._polling.release()
        snapshot = self._snapshot
        if snapshot.failure is not None:
            raise snapshot.failure.with_traceback(None)
        return snapshot.readings

    def _is_stale(self) -> bool:
        age_s = self._clock() - self._snapshot.polled_at
        return not 0 <= age_s < self._interval_s  # negative after the clock was set back

    def _poll(self, readings: tuple[Reading, ...]) -> _Snapshot:
        now, failure = self._clock(), None
        try:
            readings = _append(readings, Reading(now, self._read()))
        except RequestFailed as error:
            failure = error
        return _Snapshot(self._clock(), readings, failure)


def _append(readings: tuple[Reading, ...], new: Reading) -> tuple[Reading, ...]:
    if readings and new.at < readings[-1].at:
        readings = ()  # the clock was set back
    if readings:
        new = Reading(new.at, _share_labels(new.samples, readings[-1].samples))
    recent = [reading for reading in readings if reading.at >= new.at - RETENTION_S]
    return (*recent, new)[-MAX_READINGS:]


def _share_labels(samples: Samples, previous: Samples) -> Samples:
    """Return `samples` with the label tuples of `previous` where equal, so that memory holds them once."""
    known = {name: {labels: labels for labels in series} for name, series in previous.items()}
    return {
        name: {known.get(name, {}).get(labels, labels): value for labels, value in series.items()}
        for name, series in samples.items()
    }
