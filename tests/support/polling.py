"""Wait for other processes by asking again, without a fixed sleep."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def poll(ask: Callable[[], T], within_s: float) -> T:
    """Return the first truthy result of `ask`, or the last one after `within_s` seconds."""
    deadline = time.monotonic() + within_s
    while not (result := ask()) and time.monotonic() < deadline:
        time.sleep(0.2)
    return result
