from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from app.services.periodic_tasks import PeriodicTasks


@pytest.fixture
def done() -> threading.Event:
    return threading.Event()


@pytest.fixture
def late(done: threading.Event) -> Iterator[PeriodicTasks]:
    tasks = PeriodicTasks("late", [done.set], first_after_s=3_600)
    yield tasks
    tasks.stop()


def test_tasks_run_at_once_by_default(done: threading.Event) -> None:
    tasks = PeriodicTasks("prompt", [done.set])
    tasks.start()
    assert done.wait(5)
    tasks.stop()


def test_stopping_ends_also_a_wait_before_the_first_round(late: PeriodicTasks, done: threading.Event) -> None:
    late.start()
    late.stop()
    assert not any(thread.name == "late" for thread in threading.enumerate())
    assert not done.is_set()


def test_a_task_that_fails_holds_up_no_other(done: threading.Event) -> None:
    def fail() -> None:
        raise RuntimeError("no")

    PeriodicTasks("steady", [fail, done.set]).run_pending()
    assert done.is_set()
