from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from app.core.errors import TrainingAlreadyRunning
from app.core.runs import LeaseLost, RunStatus
from app.core.training import Training
from app.processes import own_identity
from app.services import training as trainings
from app.services.background import CRASHED, BackgroundRun, RunFailed, RunManager
from app.settings import Settings
from app.storage.database import Database
from app.storage.runs import LEASE_TTL
from app.storage.training import RUNS
from tests.support.clock import set_clock
from tests.support.runs import join_runs
from tests.support.shop import make_settings

KIND = replace(trainings.KIND, stopped="stopped", orphaned="orphaned")
DONE, ERROR, CANCELLED, INTERRUPTED = (
    RunStatus.DONE,
    RunStatus.ERROR,
    RunStatus.CANCELLED,
    RunStatus.INTERRUPTED,
)
Act = Callable[["Work"], None]


class Work(BackgroundRun[Training]):
    """Does what the test says, and then records its success."""

    def __init__(self, run: Training, settings: Settings, database: Database, act: Act) -> None:
        super().__init__(KIND, run, settings, database)
        self._act = act

    def work(self) -> None:
        self._act(self)
        with self._database.writing() as session:
            self._renew_lease(session)
            self._record_end(session, DONE)

    def wait_for_stop(self) -> None:
        assert self._stopping.wait(20)


class Works(RunManager[Training, Work]):
    """Runs that do as `act` says; `counted` are the ends that would be in the metrics."""

    def __init__(self, database: Database, data_dir: Path) -> None:
        super().__init__(KIND, make_settings(data_dir), database)
        self.act: Act = lambda _work: None
        self.counted: list[RunStatus] = []
        self.visible: list[int] = []

    def _begin(self, session: Session, username: str, now: datetime) -> Work:
        run = RUNS.begin(session, username, own_identity(), now, catalogue_version=1)
        return Work(run, self._settings, self._database, self.act)

    def _follow_up(self, background: Work, status: RunStatus) -> None:
        self.counted.append(status)

    def _count_interrupted(self, run: Training) -> None:
        self.counted.append(INTERRUPTED)

    def _ensure_visible(self, run: Training) -> None:
        self.visible.append(run.id)


@pytest.fixture
def works(database: Database, tmp_path: Path) -> Iterator[Works]:
    works = Works(database, tmp_path)
    yield works
    works.stop()


def end_of(works: Works, act: Act) -> tuple[RunStatus, str | None]:
    """Let a run do `act`; return how its row says that it ended."""
    works.act = act
    run_id = works.start("admin").id
    join_runs()
    run = works.latest()
    assert run is not None
    assert run.id == run_id
    return run.status, run.reason


def fail(error: Exception) -> Act:
    def act(_work: Work) -> None:
        raise error

    return act


@pytest.mark.parametrize(
    ("error", "status", "reason"),
    [
        (RunFailed("too odd"), ERROR, "too odd"),
        (RunFailed("on request", CANCELLED), CANCELLED, "on request"),
        (ZeroDivisionError("secret"), ERROR, CRASHED),
        (OperationalError("SELECT", {}, Exception("down")), ERROR, CRASHED),
        (RuntimeError("cannot schedule new futures after interpreter shutdown"), INTERRUPTED, "stopped"),
        (RuntimeError("can't start new thread"), ERROR, CRASHED),
    ],
)
def test_a_run_that_fails_says_why(works: Works, error: Exception, status: RunStatus, reason: str) -> None:
    assert end_of(works, fail(error)) == (status, reason)
    assert works.counted == [status]


def test_a_run_that_works_is_done_and_its_results_are_shown_with_its_end(works: Works) -> None:
    assert end_of(works, lambda _work: None) == (DONE, None)
    assert (works.counted, works.visible) == ([DONE], [1])


@pytest.mark.parametrize(
    ("error", "end"),
    [
        (RunFailed("on request", CANCELLED), (INTERRUPTED, "stopped")),
        (ZeroDivisionError(), (INTERRUPTED, "stopped")),
        (RunFailed("the shop is down"), (ERROR, "the shop is down")),
    ],
)
def test_a_run_that_ends_while_it_is_stopped_is_interrupted_unless_it_failed(
    works: Works, error: Exception, end: tuple[RunStatus, str]
) -> None:
    def act(work: Work) -> None:
        work.wait_for_stop()
        raise error

    works.act = act
    works.start("admin")
    works.stop()
    run = works.latest()
    assert run is not None
    assert ((run.status, run.reason), works.counted) == (end, [end[0]])


def test_a_run_that_starts_after_the_stop_is_told_so_at_once(works: Works) -> None:
    works.stop()

    def act(work: Work) -> None:
        work.wait_for_stop()
        raise RunFailed("stopped at once", INTERRUPTED)

    assert end_of(works, act)[0] is INTERRUPTED


@pytest.mark.parametrize("loses_it", ["at its end", "at work"])
def test_a_run_that_was_reaped_records_and_counts_nothing(
    works: Works, database: Database, caplog: pytest.LogCaptureFixture, loses_it: str
) -> None:
    def act(work: Work) -> None:
        with database.writing() as session:
            RUNS.close(session, work.run.id, INTERRUPTED, "reaped", datetime.now(UTC))
        raise LeaseLost if loses_it == "at work" else RunFailed("of no interest any more")

    assert end_of(works, act) == (INTERRUPTED, "reaped")
    assert (works.counted, [record.message for record in caplog.records]) == ([], ["training_lease_lost"])


def test_a_run_whose_end_cannot_be_recorded_is_left_to_its_lease(
    works: Works, database: Database, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def down(*_arguments: object) -> None:
        raise OperationalError("UPDATE", {}, Exception("down"))

    with monkeypatch.context() as broken:
        broken.setattr(RUNS, "close", down)
        assert end_of(works, fail(RunFailed("no")))[0] is RunStatus.PROCESSING
    assert works.counted == []
    assert caplog.records[-1].message == "training_end_not_recorded"
    assert caplog.records[-1].exc_info is not None


def test_only_one_run_is_in_progress(works: Works, database: Database, tmp_path: Path) -> None:
    release = threading.Event()
    works.act = lambda _work: assert_set(release)
    run = works.start("admin")
    for manager in (works, Works(database, tmp_path)):
        with pytest.raises(TrainingAlreadyRunning, match=f"versão {run.id}"):
            manager.start("operadora")
    release.set()
    join_runs()
    assert end_of(works, lambda _work: None) == (DONE, None)


def assert_set(event: threading.Event) -> None:
    assert event.wait(20)


@pytest.mark.parametrize(
    ("holder", "age", "is_orphaned"),
    [
        ("", timedelta(), False),
        ("another.machine:1:0", timedelta(), False),
        ("another.machine:1:0", LEASE_TTL + timedelta(seconds=1), True),
        ("x", timedelta(), True),
    ],
)
def test_an_orphaned_run_is_reaped_and_another_is_not(
    works: Works, database: Database, holder: str, age: timedelta, is_orphaned: bool
) -> None:
    identity = holder if "." in holder else own_identity() + holder
    with database.writing() as session:
        RUNS.begin(session, "admin", identity, datetime.now(UTC) - age, catalogue_version=1)
    run = works.latest()
    assert run is not None
    assert (run.status, run.reason) == (
        (INTERRUPTED, "orphaned") if is_orphaned else (RunStatus.PROCESSING, None)
    )
    assert works.counted == [INTERRUPTED] * is_orphaned
    if is_orphaned:
        assert end_of(works, lambda _work: None) == (DONE, None)
    else:
        with pytest.raises(TrainingAlreadyRunning):
            works.start("admin")


@pytest.mark.parametrize("silent_s", [0.0, LEASE_TTL.total_seconds()])
def test_a_lease_given_while_the_clock_was_years_ahead_lasts_no_longer_than_another(
    works: Works, database: Database, monkeypatch: pytest.MonkeyPatch, silent_s: float
) -> None:
    with database.writing() as session:
        years_ahead = datetime.now(UTC) + timedelta(days=3_000)
        RUNS.begin(session, "admin", "another.machine:1:0", years_ahead, catalogue_version=1)
    works.latest()
    passed = time.monotonic
    monkeypatch.setattr("app.services.background.time.monotonic", lambda: passed() + silent_s)
    run = works.latest()
    assert run is not None
    assert run.status is (INTERRUPTED if silent_s else RunStatus.PROCESSING)


@pytest.mark.parametrize("ahead", [timedelta(seconds=31), timedelta(hours=2), timedelta(days=400)])
def test_a_clock_that_is_set_forward_buries_no_run_whose_process_is_alive(
    works: Works, monkeypatch: pytest.MonkeyPatch, ahead: timedelta
) -> None:
    release = threading.Event()
    works.act = lambda _work: assert_set(release)
    run = works.start("admin")
    set_clock(monkeypatch, ahead)
    latest = works.latest()
    assert latest is not None
    assert latest.status is RunStatus.PROCESSING
    with pytest.raises(TrainingAlreadyRunning, match=f"versão {run.id}"):
        works.start("operadora")
    release.set()
    join_runs()
    assert works.counted == [DONE]


def test_a_run_that_its_living_process_forgot_is_reaped_when_its_lease_was_seen_unrenewed_for_as_long_as_it_lasts(
    works: Works, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    with database.writing() as session:
        RUNS.begin(session, "admin", own_identity(), datetime.now(UTC) - 2 * LEASE_TTL, catalogue_version=1)
    for seconds, status in ((0, RunStatus.PROCESSING), (29, RunStatus.PROCESSING), (31, INTERRUPTED)):
        with monkeypatch.context() as later:
            monotonic = time.monotonic
            later.setattr(time, "monotonic", lambda: monotonic() + seconds)  # noqa: B023
            run = works.latest()
        assert run is not None
        assert run.status is status
