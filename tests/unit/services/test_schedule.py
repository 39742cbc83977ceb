"""Runs that the schedule begins, on a database of the test's own with a clock that the test sets."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.core.accounts import BY_SCHEDULE
from app.core.runs import RunStatus
from app.core.schedule import MAX_ATTEMPTS, Cron, ScheduleSettings
from app.core.scraping import IMPORT_SOURCE, ScrapeRun
from app.core.shop_state import ShopState
from app.observability.metrics import Metrics
from app.processes import own_identity
from app.services import schedule as schedules
from app.services.schedule import ScrapeSchedule
from app.services.scrape_run import BackgroundScrape, PublishingRun
from app.services.scraping import KIND, Scrapes
from app.settings import Settings
from app.storage.catalogue_store import CatalogueStore
from app.storage.database import Database
from app.storage.models import ScheduledRunRow, ScheduleRow, ScrapeRunRow
from app.storage.schedule import REMEMBERED, add_scheduled_run
from app.storage.scraping import RUNS
from tests.support.exposition import read_samples, value
from tests.support.runs import join_runs
from tests.support.shop import make_settings

NOON = datetime(2026, 11, 28, 12, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
DAILY = ScheduleSettings(cron=Cron("0 3 * * *", "UTC"))
THREE = NOON + 15 * HOUR
"""When the first run is due."""


class Clock:
    now = NOON


class Scrape(BackgroundScrape):
    """Waits for `release`, and is done."""

    release: threading.Event

    def work(self) -> None:
        assert self.release.wait(20)
        with self._database.writing() as session:
            self._renew_lease(session)
            self._record_end(session, RunStatus.DONE)


class QuickScrapes(Scrapes):
    def __init__(self, settings: Settings, database: Database, metrics: Metrics) -> None:
        super().__init__(settings, database, CatalogueStore(database), metrics, lambda: None)
        self.release = threading.Event()
        self.release.set()

    def _begin(self, session: Session, username: str, now: datetime) -> BackgroundScrape:
        run = super()._begin(session, username, now).run
        scrape = Scrape(KIND, run, self._settings, self._database, {})
        scrape.release = self.release
        return scrape

    def _follow_up(self, background: PublishingRun, status: RunStatus) -> None:
        pass

    def _announce(self, run: ScrapeRun) -> None:
        pass


class Replica:
    """One process of the shop: its schedule, its scrapes and its counters."""

    def __init__(self, database: Database, folder: Path, settings: ScheduleSettings = DAILY) -> None:
        self.metrics = Metrics(_no_state)
        self.scrapes = QuickScrapes(make_settings(folder), database, self.metrics)
        self.schedule = ScrapeSchedule(settings, database, self.scrapes, self.metrics)

    def look(self) -> None:
        self.schedule.run_due()
        if self.scrapes.release.is_set():
            join_runs("scrape-")

    def counted(self) -> dict[str, float]:
        seen = read_samples(self.metrics.render().decode())
        name = "livraria_schedule_runs_total"
        return {outcome: value(seen, name, outcome=outcome) for outcome in ("on_time", "made_up", "missed")}


def _no_state() -> ShopState:
    raise RuntimeError("not asked")


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(Database, "now", lambda _database, _session: clock.now)
    return clock


@pytest.fixture
def open_replica(database: Database, tmp_path: Path, clock: Clock) -> Iterator[Callable[..., Replica]]:
    """Replicas of one shop, which has adopted the environment of each."""
    replicas: list[Replica] = []

    def open_one(settings: ScheduleSettings = DAILY) -> Replica:
        replicas.append(Replica(database, tmp_path, settings))
        replicas[-1].schedule.adopt_environment()
        return replicas[-1]

    yield open_one
    for replica in replicas:
        replica.scrapes.stop()


@pytest.fixture
def replica(open_replica: Callable[..., Replica]) -> Replica:
    return open_replica()


@pytest.fixture
def dues(database: Database) -> Callable[[], list[datetime]]:
    """The due times that have begun, in the order of their runs."""

    def read() -> list[datetime]:
        with database.reading() as session:
            return list(session.scalars(select(ScheduledRunRow.due_at).order_by(ScheduledRunRow.run_id)))

    return read


def runs_of(database: Database) -> list[tuple[str, str]]:
    with database.reading() as session:
        rows = session.execute(select(ScrapeRunRow.started_by, ScrapeRunRow.status).order_by(ScrapeRunRow.id))
        return [(row.started_by, row.status) for row in rows]


def next_due(replica: Replica) -> datetime | None:
    return replica.schedule.status().schedule.due_at


def test_a_due_run_begins_once_by_the_schedules_own_name(
    replica: Replica, clock: Clock, database: Database, dues: Callable[[], list[datetime]]
) -> None:
    clock.now = THREE - timedelta(seconds=1)
    replica.look()
    assert runs_of(database) == []
    clock.now = THREE
    for _ in range(3):
        replica.look()
    assert runs_of(database) == [(BY_SCHEDULE, "done")]
    assert (dues(), next_due(replica)) == ([THREE], THREE + DAY)
    assert replica.schedule.status().last_began_at == THREE
    assert replica.counted() == {"on_time": 1, "made_up": 0, "missed": 0}


def test_of_many_replicas_that_look_at_once_one_begins_the_run(
    open_replica: Callable[..., Replica], clock: Clock, dues: Callable[[], list[datetime]]
) -> None:
    replicas = [open_replica() for _ in range(4)]
    barrier = threading.Barrier(len(replicas))

    def look(replica: Replica) -> None:
        barrier.wait(20)
        replica.schedule.run_due()

    for day in range(3):
        clock.now = THREE + day * DAY
        with ThreadPoolExecutor(len(replicas)) as pool:
            list(pool.map(look, replicas))
        join_runs("scrape-")
    assert dues() == [THREE, THREE + DAY, THREE + 2 * DAY]
    assert sum(replica.counted()["on_time"] for replica in replicas) == 3


def test_runs_missed_while_the_shop_was_down_are_made_up_by_one(
    replica: Replica, clock: Clock, database: Database, dues: Callable[[], list[datetime]]
) -> None:
    clock.now = THREE + 3 * DAY + HOUR
    for _ in range(3):
        replica.look()
    assert len(runs_of(database)) == 1
    assert (dues(), next_due(replica)) == ([THREE], THREE + 4 * DAY)
    assert replica.counted() == {"on_time": 0, "made_up": 1, "missed": 3}


def test_a_run_that_is_due_during_another_begins_after_it(
    replica: Replica, clock: Clock, database: Database, dues: Callable[[], list[datetime]]
) -> None:
    replica.scrapes.release.clear()
    clock.now = THREE - timedelta(minutes=1)
    replica.scrapes.start("admin")
    clock.now = THREE + timedelta(seconds=10)
    replica.look()
    assert (dues(), next_due(replica)) == ([], THREE)
    replica.scrapes.release.set()
    join_runs("scrape-")
    replica.look()
    replica.look()
    assert runs_of(database) == [("admin", "done"), (BY_SCHEDULE, "done")]
    assert dues() == [THREE]


def test_a_manual_run_before_the_due_time_does_not_stand_for_it(
    replica: Replica, clock: Clock, dues: Callable[[], list[datetime]]
) -> None:
    clock.now = THREE - timedelta(minutes=1)
    replica.scrapes.start("admin")
    join_runs("scrape-")
    clock.now = THREE
    replica.look()
    assert dues() == [THREE]


def test_a_run_whose_process_died_is_begun_once_more_and_no_third_time(
    replica: Replica, clock: Clock, database: Database, dues: Callable[[], list[datetime]]
) -> None:
    clock.now = THREE
    for attempt in range(1, MAX_ATTEMPTS + 2):
        replica.look()
        with database.writing() as session:
            session.execute(
                update(ScrapeRunRow).values(status="processing", holder=own_identity() + "x", ended_at=None)
            )
        replica.look()  # finds it orphaned
        assert len(runs_of(database)) == min(attempt, MAX_ATTEMPTS)
    replica.look()
    assert runs_of(database) == [(BY_SCHEDULE, "interrupted")] * MAX_ATTEMPTS
    assert dues() == [THREE]


def test_a_run_whose_process_died_is_begun_once_more_although_a_file_was_imported_meanwhile(
    replica: Replica, clock: Clock, database: Database, dues: Callable[[], list[datetime]]
) -> None:
    clock.now = THREE
    replica.look()
    with database.writing() as session:
        session.execute(update(ScrapeRunRow).values(status="interrupted"))
        run = RUNS.begin(session, "admin", own_identity(), THREE, base_url=IMPORT_SOURCE)
        RUNS.close(session, run.id, RunStatus.DONE, None, THREE)
    replica.look()
    replica.look()
    states = [(BY_SCHEDULE, "interrupted"), ("admin", "done"), (BY_SCHEDULE, "done")]
    assert (runs_of(database), dues()) == (states, [THREE])


def test_a_crash_before_the_commit_leaves_the_run_due(
    replica: Replica,
    clock: Clock,
    database: Database,
    dues: Callable[[], list[datetime]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def crash(*_arguments: object) -> None:
        raise RuntimeError("killed")

    clock.now = THREE
    with monkeypatch.context() as patch:
        patch.setattr(schedules, "save_schedule", crash)
        with pytest.raises(RuntimeError):
            replica.schedule.run_due()
    assert (runs_of(database), dues(), next_due(replica)) == ([], [], THREE)
    replica.look()
    assert dues() == [THREE]


def test_a_due_time_is_not_begun_again_after_the_clock_went_back(
    replica: Replica, clock: Clock, dues: Callable[[], list[datetime]]
) -> None:
    clock.now = THREE
    replica.look()
    for now in (THREE - HOUR, THREE - HOUR, THREE, THREE + HOUR):
        clock.now = now
        replica.look()
    assert (dues(), next_due(replica)) == ([THREE], THREE + DAY)


def test_a_clock_that_was_years_ahead_once_holds_up_nothing(
    replica: Replica, clock: Clock, dues: Callable[[], list[datetime]]
) -> None:
    clock.now = NOON + 3_000 * DAY
    replica.look()
    clock.now = NOON + HOUR
    replica.look()
    assert next_due(replica) == THREE + DAY  # that of tomorrow was begun, by the wrong clock
    clock.now = THREE + DAY
    replica.look()
    assert dues() == [THREE, THREE + DAY]


def test_a_paused_schedule_begins_nothing_and_makes_up_nothing_when_it_goes_on(
    replica: Replica, clock: Clock, dues: Callable[[], list[datetime]]
) -> None:
    replica.schedule.set(lambda _settings: ScheduleSettings(cron=DAILY.cron, active=False), "operadora")
    clock.now = THREE + 2 * DAY + HOUR
    replica.look()
    assert (dues(), next_due(replica)) == ([], None)
    replica.schedule.set(lambda _settings: DAILY, "operadora")
    replica.look()
    assert (dues(), next_due(replica)) == ([], THREE + 3 * DAY)


def test_what_an_operator_set_outlives_starts_until_it_is_cleared(
    open_replica: Callable[..., Replica], clock: Clock
) -> None:
    weekly = ScheduleSettings(cron=Cron("0 5 * * SUN", "America/Sao_Paulo"), jitter_s=60)
    replica = open_replica()
    replica.schedule.set(lambda _settings: weekly, "operadora")
    later = open_replica()
    assert later.schedule.status().schedule.settings == weekly
    later.schedule.clear("operadora")
    assert later.schedule.status().schedule.settings == DAILY
    assert next_due(replica) == THREE


def test_a_start_with_another_environment_moves_the_whole_shop(
    open_replica: Callable[..., Replica], clock: Clock, dues: Callable[[], list[datetime]]
) -> None:
    first = open_replica()
    open_replica(ScheduleSettings(cron=Cron("0 4 * * *", "UTC")))
    clock.now = THREE
    first.look()
    assert dues() == []
    clock.now = THREE + HOUR
    first.look()
    assert dues() == [THREE + HOUR]


def test_a_start_with_the_same_environment_leaves_a_missed_run_due(
    open_replica: Callable[..., Replica], clock: Clock, dues: Callable[[], list[datetime]]
) -> None:
    open_replica()
    clock.now = THREE + HOUR
    open_replica().look()
    assert dues() == [THREE]


def test_the_database_refuses_a_second_row_for_a_due_time_and_forgets_the_oldest(
    database: Database, clock: Clock, dues: Callable[[], list[datetime]]
) -> None:
    with database.writing() as session:
        for number in range(REMEMBERED + 5):
            session.add(ScheduledRunRow(due_at=NOON - number * DAY, run_id=number, began_at=NOON, attempts=1))
    with database.writing() as session:
        add_scheduled_run(session, THREE, REMEMBERED + 5, THREE)
    assert (len(dues()), dues()[-1]) == (REMEMBERED, THREE)
    with suppress(IntegrityError), database.writing() as session:
        add_scheduled_run(session, THREE, REMEMBERED + 6, THREE)
        pytest.fail("a due time began twice")


def test_each_shop_draws_its_own_delays(database: Database) -> None:
    with database.reading() as session:
        assert len(session.get_one(ScheduleRow, 1).seed) == 32


def test_only_runs_of_the_schedule_are_begun_again(
    replica: Replica, clock: Clock, database: Database
) -> None:
    with database.writing() as session:
        run = RUNS.begin(session, "admin", own_identity() + "x", NOON, base_url="http://127.0.0.1:9/")
        RUNS.close(session, run.id, RunStatus.INTERRUPTED, None, NOON)
    replica.look()
    assert runs_of(database) == [("admin", "interrupted")]
