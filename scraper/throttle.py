"""When the next request may start: one pace for all workers, and every wait ends at once when cancelled."""

import random
import threading
import time
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from scraper.errors import CrawlCancelled


class Pace:
    """Spaces requests out. `_lock` protects `_next_turn` and `_delay_s`; waiting happens outside it."""

    def __init__(self, stopped: threading.Event) -> None:
        self._stopped = stopped
        self._lock = threading.Lock()
        self._next_turn = 0.0  # time.monotonic() seconds
        self._delay_s = 0.0

    def space_out(self, delay_s: float) -> None:
        """From now on no two requests start within `delay_s` of each other."""
        with self._lock:
            self._delay_s = delay_s
            self._next_turn = max(self._next_turn, time.monotonic() + delay_s)

    def pause(self, seconds: float) -> None:
        """Let no request start for that long, whichever worker it is of."""
        with self._lock:
            self._next_turn = max(self._next_turn, time.monotonic() + seconds)

    def wait_turn(self) -> None:
        """Return when a request may start. Raises CrawlCancelled."""
        while True:
            with self._lock:
                now = time.monotonic()
                wait_s = self._next_turn - now
                if wait_s <= 0:
                    self._next_turn = now + self._delay_s
                    break
            self.sleep(wait_s)  # and look again: a pause may have come meanwhile, or another worker's turn
        self.sleep(0)

    def sleep(self, seconds: float) -> None:
        """Raises CrawlCancelled, at once."""
        if self._stopped.wait(seconds):
            raise CrawlCancelled


def backoff_s(failures: int, base_s: float, cap_s: float) -> float:
    """A wait before trying again: exponential with full jitter, so that workers do not return in step."""
    return random.uniform(0, min(cap_s, base_s * 2.0 ** min(failures - 1, 60)))


def retry_after_s(header: str | None, now: datetime | None = None) -> float:
    """The seconds that a Retry-After asks for, as seconds or as a date (RFC 9110, 10.2.3); 0 for neither."""
    text = (header or "").strip()
    if text.isascii() and text.isdigit():
        return float(text[:9])
    try:
        then = parsedate_to_datetime(text)
    except ValueError:
        return 0.0
    if then.tzinfo is None:  # "-0000" and no zone at all; HTTP dates are GMT
        then = then.replace(tzinfo=UTC)
    return max(0.0, (then - (now or datetime.now(UTC))).total_seconds())
