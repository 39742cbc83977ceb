"""The readings of /metrics that viewers share."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from dashboards.client.http_client import RequestFailed, Unreachable
from dashboards.metrics.exposition import Samples
from dashboards.metrics.history import RETENTION_S, History

SERIES = (("status", "200"),)
WAIT_S = 10


class Clock:
    now = 1_000.0

    def __call__(self) -> float:
        return self.now


def test_the_history_polls_no_faster_than_its_interval_and_drops_old_readings() -> None:
    clock, values = Clock(), iter(range(10))
    history = History(lambda: {"r": {SERIES: float(next(values))}}, interval_s=1, clock=clock)
    assert len(history.readings()) == 1
    clock.now += 0.5
    assert len(history.readings()) == 1
    clock.now += 1
    assert [reading.samples["r"][SERIES] for reading in history.readings()] == [0, 1]
    clock.now += RETENTION_S + 1
    assert [reading.samples["r"][SERIES] for reading in history.readings()] == [2]


def test_the_history_begins_again_when_the_clock_is_set_back() -> None:
    clock = Clock()
    history = History(lambda: {"r": {SERIES: 1.0}}, clock=clock)
    history.readings()
    clock.now -= 3_600
    assert [reading.at for reading in history.readings()] == [clock.now]


def test_a_failed_poll_raises_and_keeps_the_readings() -> None:
    clock, failing = Clock(), False

    def read() -> Samples:
        if failing:
            raise Unreachable("não responde")
        return {"r": {SERIES: 1.0}}

    history = History(read, clock=clock)
    history.readings()
    failing = True
    clock.now += 5
    with pytest.raises(RequestFailed):
        history.readings()
    failing = False
    clock.now += 1
    assert len(history.readings()) == 2


class HangingApi:
    """Responds once `released`, with the number of the call, or fails; `called` is set while it hangs."""

    def __init__(self) -> None:
        self.failing = False
        self.calls = 0
        self.called, self.released = threading.Event(), threading.Event()

    def __call__(self) -> Samples:
        self.calls += 1
        self.called.set()
        assert self.released.wait(WAIT_S)
        if self.failing:
            raise Unreachable("não responde")
        return {"r": {SERIES: float(self.calls)}}


def test_viewers_of_a_hanging_api_wait_for_the_same_poll_and_share_its_failure() -> None:
    api = HangingApi()
    api.failing = True
    history = History(api, clock=Clock())
    threading.Timer(0.3, api.released.set).start()
    with ThreadPoolExecutor(4) as pool:
        viewers = [pool.submit(history.readings) for _ in range(4)]
    for viewer in viewers:
        with pytest.raises(Unreachable):
            viewer.result()
    assert api.calls == 1


def test_while_one_viewer_polls_the_others_get_the_last_readings() -> None:
    api, clock = HangingApi(), Clock()
    history = History(api, clock=clock)
    api.released.set()
    history.readings()
    clock.now += 5
    api.released.clear()
    api.called.clear()
    with ThreadPoolExecutor(2) as pool:
        poller = pool.submit(history.readings)
        assert api.called.wait(WAIT_S)
        try:
            assert len(pool.submit(history.readings).result(timeout=WAIT_S / 2)) == 1
        finally:
            api.released.set()
        assert len(poller.result()) == 2


def test_a_failure_is_kept_for_one_interval() -> None:
    api, clock = HangingApi(), Clock()
    api.failing = True
    api.released.set()
    history = History(api, interval_s=1, clock=clock)
    for _ in range(3):
        with pytest.raises(Unreachable):
            history.readings()
    assert api.calls == 1
    clock.now += 1
    api.failing = False
    assert len(history.readings()) == 1
