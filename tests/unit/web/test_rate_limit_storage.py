from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace

import pytest
from limits.storage import Storage

from app.observability.shared_folder import FOLDER_VARIABLE
from app.web import rate_limit_storage, shared_counters
from app.web.rate_limit_storage import AWAY_S, ForgivingStorage, LocalStorage, make_storage
from app.web.shared_counters import WAIT_S, SharedStorage
from tests.support.shop import make_settings


class Clock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    for module in (rate_limit_storage, shared_counters):
        monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=clock, time=time.time))
    return clock


@pytest.fixture(params=["local", "shared", "forgiving"])
def storage(request: pytest.FixtureRequest, tmp_path: Path) -> Storage:
    makers: dict[str, Callable[[], Storage]] = {
        "local": lambda: LocalStorage(max_counters=5),
        "shared": lambda: SharedStorage(tmp_path / "counters", max_counters=5),
        "forgiving": lambda: ForgivingStorage(LocalStorage()),
    }
    return makers[request.param]()


def test_a_window_counts_to_its_end_and_begins_anew(storage: Storage, clock: Clock) -> None:
    assert [storage.incr("a", 60) for _ in range(3)] == [1, 2, 3]
    assert storage.incr("b", 60) == 1
    clock.now += 59
    assert (storage.incr("a", 60), storage.get("a")) == (4, 4)
    assert 0 < storage.get_expiry("a") - time.time() <= 1
    clock.now += 1
    assert storage.get("a") == 0
    assert storage.incr("a", 60) == 1


def test_a_count_is_given_back_cleared_and_reset(storage: Storage) -> None:
    storage.incr("a", 60, 2)
    assert storage.incr("a", 60, -1) == 1
    storage.clear("a")
    assert storage.get("a") == 0
    storage.incr("b", 60)
    assert storage.reset() == 1
    assert storage.get("b") == 0
    assert storage.check()


def test_simultaneous_hits_are_all_counted(storage: Storage) -> None:
    with ThreadPoolExecutor(8) as pool:
        counts = list(pool.map(lambda _: storage.incr("a", 60), range(400)))
    assert sorted(counts) == list(range(1, 401))


def test_the_memory_of_a_process_keeps_a_bounded_number_of_counters_those_in_use_before_others() -> None:
    storage = LocalStorage(max_counters=5)
    for number in range(100):
        storage.incr("guessed", 60)
        storage.incr(f"address-{number}", 60)
    assert storage.get("guessed") == 100
    assert storage.reset() == 5


def test_ended_windows_make_room_at_once(clock: Clock) -> None:
    storage = LocalStorage(max_counters=5)
    for number in range(4):
        storage.incr(f"address-{number}", 60)
    clock.now += 61
    storage.incr("next", 60)
    assert storage.reset() == 1


def test_the_shared_file_keeps_a_bounded_number_of_counters(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shared_counters, "_PURGE_EVERY", 10)
    storage = SharedStorage(tmp_path / "counters", max_counters=5)
    for number in range(100):
        storage.incr(f"address-{number}", 60)
    assert storage.reset() == 5


def test_two_workers_share_the_counters_of_one_file(tmp_path: Path) -> None:
    first, second = (SharedStorage(tmp_path / "counters") for _ in range(2))
    assert [first.incr("a", 60), second.incr("a", 60), first.get("a")] == [1, 2, 2]


def test_workers_that_start_together_find_one_whole_file(tmp_path: Path) -> None:
    together = threading.Barrier(8)

    def start(_: int) -> int:
        together.wait(10)
        return SharedStorage(tmp_path / "counters").incr("a", 60)

    with ThreadPoolExecutor(8) as pool:
        assert sorted(pool.map(start, range(8))) == list(range(1, 9))
    assert {path.name for path in tmp_path.iterdir()} <= {"counters", "counters-wal", "counters-shm"}


def test_a_worker_that_holds_the_file_for_ever_delays_another_by_a_moment_once(tmp_path: Path) -> None:
    storage = ForgivingStorage(SharedStorage(tmp_path / "counters"))
    storage.incr("a", 60)
    holder = sqlite3.connect(tmp_path / "counters", isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    with ThreadPoolExecutor(8) as pool:
        began_at = time.monotonic()
        assert sorted(pool.map(lambda _: storage.incr("a", 60), range(8))) == list(range(1, 9))
        assert time.monotonic() - began_at < 8 * WAIT_S
    holder.close()


class Redis(LocalStorage):
    """Stands for a Redis that goes away and comes back."""

    STORAGE_SCHEME = None  # type: ignore[assignment]

    def __init__(self) -> None:
        super().__init__()
        self.is_away = False
        self.asked = 0

    @property
    def base_exceptions(self) -> tuple[type[Exception], ...]:
        return (ConnectionError,)

    def incr(self, key: str, expiry: float, amount: int = 1) -> int:
        self.asked += 1
        if self.is_away:
            raise ConnectionError("redis://:hunter2@cache:6379 is away")
        return super().incr(key, expiry, amount)


@pytest.fixture
def redis() -> Redis:
    return Redis()


def test_a_storage_that_is_away_is_replaced_by_memory_and_asked_again_after_a_while(
    redis: Redis, clock: Clock
) -> None:
    storage = ForgivingStorage(redis)
    assert storage.incr("a", 60) == 1
    redis.is_away = True
    assert [storage.incr("a", 60) for _ in range(5)] == [1, 2, 3, 4, 5]
    assert not storage.check()
    assert redis.asked == 2
    redis.is_away = False
    clock.now += AWAY_S + 0.1
    assert storage.incr("a", 60) == 2
    assert storage.check()


def test_an_outage_is_one_line_in_the_log_without_the_address(
    redis: Redis, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", logger="app")
    storage = ForgivingStorage(redis)
    redis.is_away = True
    for _ in range(3):
        storage.incr("a", 60)
        clock.now += AWAY_S + 0.1
    redis.is_away = False
    storage.incr("a", 60)
    assert [(record.msg, getattr(record, "reason", None)) for record in caplog.records] == [
        ("rate_limits_not_shared", "ConnectionError"),
        ("rate_limits_shared_again", None),
    ]


def test_several_workers_count_in_their_folder_and_one_in_its_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path))
    workers = [make_storage(make_settings(tmp_path, web_workers=2)) for _ in range(2)]
    assert [worker.incr("a", 60) for worker in workers] == [1, 2]
    assert not list(tmp_path.glob("*.db"))
    alone = [make_storage(make_settings(tmp_path)) for _ in range(2)]
    assert [process.incr("a", 60) for process in alone] == [1, 1]


def test_a_folder_that_takes_no_file_leaves_each_worker_its_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path / "missing"))
    assert make_storage(make_settings(tmp_path, web_workers=2)).incr("a", 60) == 1
    assert [record.msg for record in caplog.records] == ["rate_limits_not_shared"]


def test_a_redis_that_never_was_there_stops_nothing(tmp_path: Path) -> None:
    settings = make_settings(tmp_path, ratelimit_storage_uri="redis://127.0.0.1:9/0")
    assert [make_storage(settings).incr("a", 60) for _ in range(2)] == [1, 1]
