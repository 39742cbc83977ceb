"""When the next request may start, for all workers together; cancelling ends every wait at once."""

import random
import threading
import time
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from scraper.errors import CrawlCancelled


class Throttle:
    """Space requests out. `_lock` protects `_next_turn` and `_interval_s`; waiting happens outside it."""

    def __init__(self, stopped: threading.Event) -> None:
        self._stopped = stopped
        self._lock = threading.Lock()
        self._next_turn = 0.0  # time.monotonic() seconds
        self._interval_s = 0.0

    def set_interval(self, seconds: float) -> None:
        """From now on, let no two requests start within `seconds` of each other."""
        with self._lock:
            self._interval_s = seconds
            self._next_turn = max(self._next_turn, time.monotonic() + seconds)

    def pause(self, seconds: float) -> None:
        """Let no request of any worker start for `seconds`."""
        with self._lock:
            self._next_turn = max(self._next_turn, time.monotonic() + seconds)

    def wait_turn(self) -> None:
        """Wait until a request may start. Raises CrawlCancelled."""
        while True:
            with self._lock:
                now = time.monotonic()
                wait_s = self._next_turn - now
                if wait_s <= 0:
                    self._next_turn = now + self._interval_s
                    break
            self.sleep(wait_s)  # and look again: a pause may have come meanwhile, or another worker's turn
        self.sleep(0)

    def sleep(self, seconds: float) -> None:
        """Wait for `seconds`. Raises CrawlCancelled as soon as the crawl is stopped."""
        if self._stopped.wait(seconds):
            raise CrawlCancelled


def backoff_s(failures: int, base_s: float, cap_s: float) -> float:
    """Return a wait before a retry: exponential with full jitter, so that workers do not return in step."""
    return random.uniform(0, min(cap_s, base_s * 2.0 ** min(failures - 1, 60)))


def retry_after_s(header: str | None, now: datetime | None = None) -> float:
    """Read a Retry-After, which is in seconds or a date (RFC 9110, 10.2.3); 0 for neither."""
    text = (header or "").strip()
    if text.isascii() and text.isdigit():
        return float(text[:9])
    try:
        date = parsedate_to_datetime(text)
        if date.tzinfo is None:  # "-0000" and no zone at all; HTTP dates are GMT
            date = date.replace(tzinfo=UTC)
        return max(0.0, (date - (now or datetime.now(UTC))).total_seconds())
    except (ValueError, OverflowError, TypeError):  # the last two for a year or a zone beyond all clocks
        return 0.0
