"""Results that are kept as long as they are asked for."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable, Sized
from threading import Lock
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V", bound=Sized)


class RecentResults(Generic[K, V]):
    """The results asked for last, up to `max_results` that hold `max_items` together, but always the newest.

    `_lock` protects `_results` and `_items`.
    """

    def __init__(self, max_results: int, max_items: int) -> None:
        self._max_results = max_results
        self._max_items = max_items
        self._results: OrderedDict[K, V] = OrderedDict()
        self._items = 0
        self._lock = Lock()

    def get(self, key: K) -> V | None:
        with self._lock:
            if key in self._results:
                self._results.move_to_end(key)
            return self._results.get(key)

    def __contains__(self, key: K) -> bool:
        return key in self._results

    def add(self, key: K, result: V) -> None:
        with self._lock:
            if key in self._results:
                return
            self._results[key] = result
            self._items += len(result)
            while len(self._results) > 1 and (
                len(self._results) > self._max_results or self._items > self._max_items
            ):
                self._items -= len(self._results.popitem(last=False)[1])
