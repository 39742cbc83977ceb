from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest
from sqlalchemy.exc import TimeoutError as WaitedTooLong

from app.storage import places as module
from app.storage.places import Places, places_for


@pytest.fixture
def places() -> Places:
    return Places(2)


class Holders:
    """Threads of requests that hold a place until they are released."""

    def __init__(self, places: Places, number: int) -> None:
        self.release = threading.Event()
        self._entered = threading.Barrier(number + 1)
        self._pool = ThreadPoolExecutor(number)
        for _ in range(number):
            self._pool.submit(self._hold, places)
        self._entered.wait(10)

    def _hold(self, places: Places) -> None:
        places.limit_this_thread()
        with places:
            self._entered.wait(10)
            assert self.release.wait(20)

    def end(self) -> None:
        self.release.set()
        self._pool.shutdown()


@pytest.fixture
def holders(places: Places) -> Iterator[Holders]:
    holders = Holders(places, 2)
    yield holders
    holders.end()


def in_request(places: Places) -> None:
    """Take a place and leave it, as the thread of a request does."""
    with ThreadPoolExecutor(1, initializer=places.limit_this_thread) as pool:
        pool.submit(take, places).result(20)


def take(places: Places) -> None:
    with places:
        pass


def test_a_request_without_a_place_is_refused_when_none_came_free_for_a_second(
    places: Places, holders: Holders, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "STALLED_AFTER_S", 0.2)
    with pytest.raises(WaitedTooLong):
        in_request(places)
    began = time.monotonic()
    with pytest.raises(WaitedTooLong):
        in_request(places)
    assert time.monotonic() - began < 0.2, "the second is refused at once"


def test_a_request_waits_for_a_place_that_comes_free(places: Places, holders: Holders) -> None:
    threading.Timer(0.05, holders.release.set).start()
    in_request(places)


def test_a_thread_that_serves_no_requests_needs_no_place(places: Places, holders: Holders) -> None:
    take(places)


def test_a_thread_takes_one_place_however_deep_it_works(places: Places) -> None:
    places.limit_this_thread()
    with ExitStack() as stack:
        for _ in range(5):
            stack.enter_context(places)
    holders = Holders(places, 2)  # both are free again
    holders.end()


def test_a_place_is_left_also_by_work_that_raises(places: Places) -> None:
    for _ in range(5):
        with pytest.raises(KeyError), ThreadPoolExecutor(1, initializer=places.limit_this_thread) as pool:
            pool.submit(fail, places).result(20)


def fail(places: Places) -> None:
    with places:
        raise KeyError


@pytest.mark.parametrize(("threads", "places"), [(1, 1), (2, 1), (4, 2), (8, 4), (16, 8), (32, 24), (64, 56)])
def test_work_on_the_database_never_takes_the_last_threads(threads: int, places: int) -> None:
    assert places_for(threads) == places
    assert threads == 1 or places < threads
