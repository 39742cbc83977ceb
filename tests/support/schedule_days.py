"""Simulated days of three replicas that follow one schedule, compared with what should have run."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import flask_migrate
from scipy import stats
from sqlalchemy import case, func, select, update

from app.core.accounts import BY_SCHEDULE
from app.core.runs import RunStatus
from app.core.schedule import Cron, ScheduleSettings
from app.factory import create_app
from app.storage.models import ScheduledRunRow, ScheduleRow, ScrapeRunRow
from tests.support.schedule_reckoning import JITTER_S, PLACES, SEED, START, Reckoning
from tests.support.schedule_replicas import Board, ClockedDatabase, follow
from tests.support.server import ROOT
from tests.support.shop import make_settings

REPLICAS = 3
_KILL_WITHIN_S = 0.05
_SETTLE_WITHIN_S = 30.0
_DAY = timedelta(days=1)


@dataclass(slots=True)
class Report:
    """What happened: due times by how often their runs ended as done, and the delays that were drawn."""

    done: dict[datetime, int] = field(default_factory=dict)
    began: dict[datetime, datetime] = field(default_factory=dict)
    delays: dict[datetime, float] = field(default_factory=dict)
    expected: dict[datetime, datetime] = field(default_factory=dict)
    runs: int = 0
    interrupted: int = 0
    kills: int = 0
    jumps_ahead: int = 0
    jumps_back: int = 0
    clock_changes: int = 0
    """Runs on a day on which the local clock was set for summer or winter."""

    @property
    def p_value(self) -> float:
        """Return the probability of delays at least as uneven as these, if they are drawn evenly."""
        shares = [delay / JITTER_S for delay in self.delays.values()]
        return float(stats.kstest(shares, "uniform").pvalue)

    def problems(self) -> list[str]:
        """Return what is wrong; nothing where each due run happened exactly once, and when it should."""
        done, expected = self.done, self.expected
        found = [f"{due} never ran" for due in sorted(expected.keys() - done.keys())]
        found += [f"{due} ran and was not due" for due in sorted(done.keys() - expected.keys())]
        found += [f"{due} ran {times} times" for due, times in sorted(done.items()) if times != 1]
        found += [
            f"{due} began at {at}, expected at {expected[due]}"
            for due, at in sorted(self.began.items())
            if due in expected and at != expected[due]
        ]
        if self.runs != len(done) + self.interrupted:
            found.append(f"{self.runs} runs for {len(done)} due times, {self.interrupted} interrupted")
        return found


class Days:
    """The driver: sets the clock, kills a replica a day, and reads what the database says."""

    def __init__(self, board: Board, database: ClockedDatabase, folder: Path, seed: int) -> None:
        self._board, self._database = board, database
        self._random = random.Random(seed)
        self._reckoning = Reckoning()
        self._schedule = follow(database, make_settings(folder))
        self._now = START
        self._last_run = 0
        self.report = Report(expected=self._reckoning.begun)

    def run(self, days: int, jump_share: float = 0.1) -> Report:
        """Live so many days; after that share of them, the clock jumps."""
        with self._database.writing() as session:
            session.execute(update(ScheduleRow).values(seed=SEED))
        self._board.set_clock(self._now)
        self._board.ask_for_a_round()
        self._wait(lambda: all(self._board.made(replica) for replica in range(REPLICAS)))
        for number in range(days):
            if number % -(-days // len(PLACES)) == 0:
                self._move(list(PLACES)[number * len(PLACES) // days])
            self._live_a_day()
            if self._random.random() < jump_share:
                self._jump()
        self._read_totals()
        return self.report

    def _move(self, zone: str) -> None:
        expression, times = PLACES[zone]
        settings = ScheduleSettings(cron=Cron(expression, zone), jitter_s=JITTER_S)
        self._schedule.set(lambda _settings: settings, "operadora")
        self._reckoning.set(zone, times, self._now)
        self._look()

    def _live_a_day(self) -> None:
        """Let a day pass in steps of hours; at one of them a replica dies, mostly when a run begins."""
        ends = self._now + _DAY
        killed, aimed = False, self._random.random() < 0.8
        while self._now < ends:
            self._now = min(ends, self._now + timedelta(hours=self._random.uniform(1, 8)))
            dies = self._reckoning.runs_at(self._now) if aimed else self._random.random() < 0.3
            kill = not killed and (dies or self._now == ends)
            killed = killed or kill
            self._look(kill=kill)

    def _jump(self) -> None:
        """Set the clock wrong for some hours, or skip days in which nothing was awake."""
        way = self._random.random()
        if way < 0.25:  # the whole shop was asleep
            self.report.jumps_ahead += 1
            self._now += timedelta(days=self._random.uniform(0.5, 5))
            return self._look()
        size = timedelta(days=self._random.choice((0.02, 0.1, 1, 3, 3_000)) * self._random.uniform(0.5, 1))
        wrong = size if way < 0.6 else -min(size, timedelta(days=5))
        self.report.jumps_ahead += 1
        self.report.jumps_back += 1
        self._now += wrong
        for _ in range(self._random.randint(1, 3)):
            self._look()
            self._now += timedelta(hours=self._random.uniform(0, 2))
        self._now -= wrong
        return self._look()

    def _look(self, *, kill: bool = False) -> None:
        """Let every replica see the time, and one of them die of it."""
        before = self._state()
        self._board.set_clock(self._now)
        if kill:
            self._board.ask_for_a_round()
            time.sleep(self._random.uniform(0, _KILL_WITHIN_S))
            self._kill(self._victim())
        self._settle(before)
        self._reckoning.see(self._now)
        self._read_new_runs()

    def _victim(self) -> int:
        """Return a replica at random, or the one that scrapes, if any does."""
        with self._database.reading() as session:
            holder = session.scalar(
                select(ScrapeRunRow.holder).where(ScrapeRunRow.status == RunStatus.PROCESSING)
            )
        at_work = [n for n in range(REPLICAS) if f"/{self._board.pid(n)}/" in (holder or "")]
        return at_work[0] if at_work else self._random.randrange(REPLICAS)

    def _kill(self, replica: int) -> None:
        pid = self._board.pid(replica)
        os.kill(pid, signal.SIGKILL)
        self.report.kills += 1
        self._wait(lambda: self._board.pid(replica) != pid)

    def _settle(self, before: tuple[int, int, int]) -> None:
        """Wait until every replica has looked at the time, and again since the last change in the database."""
        self._make_round()
        while (state := self._state()) != before or state[1]:
            before = state
            self._make_round()

    def _state(self) -> tuple[int, int, int]:
        """Return the newest run, how many are in progress, and how many were ended by a death."""
        with self._database.reading() as session:
            row = session.execute(
                select(
                    func.max(ScrapeRunRow.id),
                    func.count(case((ScrapeRunRow.status == RunStatus.PROCESSING, 1))),
                    func.count(case((ScrapeRunRow.status == RunStatus.INTERRUPTED, 1))),
                )
            ).one()
        return row[0] or 0, row[1], row[2]

    def _make_round(self) -> None:
        """Let every replica look at the schedule once, but for one that died and has not yet started."""
        board = self._board
        at_work = [(replica, board.pid(replica)) for replica in range(REPLICAS) if board.made(replica)]
        number = board.ask_for_a_round()
        self._wait(
            lambda: all(
                board.made(replica) >= number or board.pid(replica) != pid for replica, pid in at_work
            )
        )

    def _wait(self, condition: Callable[[], bool]) -> None:
        deadline = time.monotonic() + _SETTLE_WITHIN_S
        while not condition():
            assert time.monotonic() < deadline, f"the replicas do nothing at {self._now}"
            time.sleep(0.001)

    def _read_new_runs(self) -> None:
        newest = ScheduledRunRow.run_id > self._last_run
        with self._database.reading() as session:
            rows = session.execute(
                select(ScheduledRunRow.due_at, ScheduledRunRow.began_at, ScheduledRunRow.run_id).where(newest)
            ).all()
            plan = session.get_one(ScheduleRow, 1)
        for due_at, began_at, run_id in rows:
            self._last_run = max(self._last_run, run_id)
            self.report.done[due_at] = self.report.done.get(due_at, 0) + 1
            self.report.began[due_at] = began_at
            local = due_at.astimezone(ZoneInfo(plan.zone))
            self.report.clock_changes += (local + _DAY).utcoffset() != (local - _DAY).utcoffset()
        if plan.due_at is not None and plan.starts_at is not None:
            self.report.delays[plan.due_at] = (plan.starts_at - plan.due_at).total_seconds()

    def _read_totals(self) -> None:
        """Compare what was recorded of due times with the runs that there are."""
        with self._database.reading() as session:
            statuses = session.scalars(
                select(ScrapeRunRow.status).where(ScrapeRunRow.started_by == BY_SCHEDULE)
            ).all()
        self.report.runs = len(statuses)
        self.report.interrupted = statuses.count(RunStatus.INTERRUPTED)


@contextmanager
def open_days(url: str, folder: Path, seed: int) -> Iterator[Days]:
    """Start the replicas on the empty database at `url`; they end with the block."""
    app = create_app(make_settings(folder, database_url=url))
    with app.app_context():
        flask_migrate.upgrade()
    app.extensions["shop"].database.engine.dispose()
    path = folder / "board"
    board = Board(path, REPLICAS)
    command = [sys.executable, "-m", "tests.support.schedule_replicas", str(path), url, str(REPLICAS)]
    nursery = subprocess.Popen(command, cwd=ROOT, start_new_session=True)
    database = ClockedDatabase(url, board)
    try:
        yield Days(board, database, folder, seed)
    finally:
        os.killpg(nursery.pid, signal.SIGKILL)
        nursery.wait(10)
        database.engine.dispose()
