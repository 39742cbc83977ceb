from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from app.services.periodic_tasks import Sweeper


@pytest.fixture
def swept() -> threading.Event:
    return threading.Event()


@pytest.fixture
def late(swept: threading.Event) -> Iterator[Sweeper]:
    sweeper = Sweeper("late", [swept.set], first_after_s=3_600)
    yield sweeper
    sweeper.stop()


def test_chores_are_done_at_once_by_default(swept: threading.Event) -> None:
    sweeper = Sweeper("prompt", [swept.set])
    sweeper.start()
    assert swept.wait(5)
    sweeper.stop()


def test_stopping_ends_also_a_wait_before_the_first_round(late: Sweeper, swept: threading.Event) -> None:
    late.start()
    late.stop()
    assert not any(thread.name == "late" for thread in threading.enumerate())
    assert not swept.is_set()


def test_a_chore_that_fails_holds_up_no_other(swept: threading.Event) -> None:
    def fail() -> None:
        raise RuntimeError("no")

    Sweeper("steady", [fail, swept.set]).sweep()
    assert swept.is_set()
