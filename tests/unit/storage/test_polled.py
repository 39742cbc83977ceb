from __future__ import annotations

import math
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy.exc import OperationalError

from app.storage.polled import CHECK_EVERY_S, Polled
from tests.unit.storage.conftest import Clock


class Source:
    """What a database would answer; `block` makes it wait for `let_go`, `down` makes it fail."""

    def __init__(self) -> None:
        self.value = 1
        self.loads = 0
        self.down = False
        self.block = False
        self.asked = threading.Event()
        self.let_go = threading.Event()

    def load(self, _value: int | None) -> int:
        self.loads += 1
        self.asked.set()
        if self.block:
            assert self.let_go.wait(20)
        if self.down:
            raise OperationalError("SELECT", {}, Exception("down"))
        return self.value


@pytest.fixture
def source() -> Source:
    return Source()


@pytest.fixture
def polled(source: Source, clock: Clock) -> Polled[int]:
    return Polled(source.load, "check_failed")


def test_a_value_is_loaded_again_when_its_time_is_over(
    source: Source, polled: Polled[int], clock: Clock
) -> None:
    assert polled.current() == 1
    source.value = 2
    clock.now += CHECK_EVERY_S
    assert (polled.current(), source.loads) == (1, 1)
    clock.now += 0.001
    assert (polled.current(), source.loads) == (2, 2)


def test_a_refresh_does_not_wait_and_puts_the_next_check_off(
    source: Source, polled: Polled[int], clock: Clock
) -> None:
    polled.current()
    source.value = 2
    clock.now += CHECK_EVERY_S
    assert polled.refresh() == 2
    clock.now += CHECK_EVERY_S
    assert (polled.current(), source.loads) == (2, 2)


def test_a_recent_value_is_not_loaded_again(source: Source, polled: Polled[int]) -> None:
    assert polled.ensure(lambda value: value >= 1) == 1
    assert polled.ensure(lambda value: value >= 1) == 1
    assert source.loads == 1
    source.value = 2
    assert polled.ensure(lambda value: value >= 2) == 2


def test_a_failed_check_keeps_the_value_and_is_logged_once_in_its_time(
    source: Source, polled: Polled[int], clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    polled.current()
    source.down = True
    clock.now += 1
    assert [polled.current() for _ in range(3)] == [1, 1, 1]
    assert ([record.message for record in caplog.records], source.loads) == (["check_failed"], 2)
    with pytest.raises(OperationalError):
        polled.refresh()
    source.down = False
    source.value = 2
    clock.now += 1
    assert polled.current() == 2


def test_without_a_value_every_caller_asks_and_is_told_of_the_failure(
    source: Source, polled: Polled[int]
) -> None:
    source.down = True
    for _ in range(2):
        with pytest.raises(OperationalError):
            polled.current()
    source.down = False
    assert (polled.current(), source.loads) == (1, 3)


def test_an_initial_value_serves_while_the_database_is_down(source: Source, clock: Clock) -> None:
    polled = Polled(source.load, "check_failed", initial=7)
    source.down = True
    assert polled.current() == 7
    source.down = False
    clock.now += 1
    assert polled.current() == 1


def test_the_first_callers_wait_for_one_load(source: Source, polled: Polled[int]) -> None:
    source.block = True
    with ThreadPoolExecutor(4) as pool:
        readers = [pool.submit(polled.current) for _ in range(4)]
        assert source.asked.wait(20)
        source.let_go.set()
        assert [reader.result(20) for reader in readers] == [1, 1, 1, 1]
    assert source.loads == 1


def test_later_callers_go_on_with_the_present_value_while_one_loads(
    source: Source, polled: Polled[int], clock: Clock
) -> None:
    polled.current()
    source.value, source.block = 2, True
    source.asked.clear()
    clock.now += 1
    with ThreadPoolExecutor(1) as pool:
        loading = pool.submit(polled.current)
        assert source.asked.wait(20)
        assert [polled.current() for _ in range(3)] == [1, 1, 1]
        source.let_go.set()
        assert loading.result(20) == 2
    assert source.loads == 2


def test_a_value_that_is_never_due_is_loaded_once(source: Source, clock: Clock) -> None:
    polled = Polled(source.load, "check_failed", math.inf)
    polled.current()
    clock.now += 1e9
    assert (polled.current(), source.loads) == (1, 1)


def test_an_unexpected_error_reaches_one_reader_and_keeps_the_value(clock: Clock) -> None:
    values = iter([1])
    polled: Polled[int] = Polled(lambda _value: next(values), "check_failed")
    assert polled.current() == 1
    clock.now += CHECK_EVERY_S + 0.001
    with pytest.raises(StopIteration):
        polled.current()
    assert polled.current() == 1


def test_a_value_that_is_watched_is_never_loaded_by_a_reader() -> None:
    loads: list[str] = []

    def load(_value: int | None) -> int:
        loads.append(threading.current_thread().name)
        return len(loads)

    polled: Polled[int] = Polled(load, "failed", every_s=3_600)
    polled.refresh()
    watcher = threading.Thread(target=polled.watch, name="watcher")
    watcher.start()
    watcher.join(10)
    assert polled.current() == 2
    assert loads[1:] == ["watcher"]


def test_a_reader_never_asks_a_database_that_hangs_while_a_thread_watches_it(
    source: Source, polled: Polled[int], clock: Clock
) -> None:
    polled.watch()
    source.block = True
    source.asked.clear()
    with ThreadPoolExecutor(1) as pool:
        watch = pool.submit(polled.watch)
        assert source.asked.wait(20)
        clock.now += 100 * CHECK_EVERY_S
        assert polled.current() == 1
        source.down = True
        source.let_go.set()
        watch.result(20)
    loads = source.loads
    clock.now += 100 * CHECK_EVERY_S
    assert (polled.current(), source.loads) == (1, loads)
