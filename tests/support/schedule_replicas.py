"""Replicas that follow one schedule by a clock that can be set; a replica that is killed starts again at once.

`python -m tests.support.schedule_replicas <board> <database URL> <replicas>` imports the application and then only
forks, since the imports take most of a start. The scrapes do nothing but end as `done`; all else is the shop's.
"""

from __future__ import annotations

import logging
import mmap
import os
import random
import struct
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import create_engine
from sqlalchemy.orm import Session

from app.core.runs import RunStatus
from app.core.schedule import ScheduleSettings
from app.core.scraping import ScrapeRun
from app.core.shop_state import ShopState
from app.observability.metrics import Metrics
from app.services.periodic_tasks import PeriodicTasks
from app.services.schedule import ScrapeSchedule
from app.services.scrape_run import BackgroundScrape, PublishingRun
from app.services.scraping import KIND, Scrapes
from app.settings import Settings
from app.storage.catalogue_store import CatalogueStore
from app.storage.database import Database, database_options
from tests.support.shop import make_settings

LONGEST_SCRAPE_S = 0.05
_PAUSE_S = 0.001
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NUMBER = struct.Struct("q")


class Board:
    """A file of numbers that all processes see: the clock, how many rounds were asked for, and of each replica its
    process and the last round that it has made: 0 until its first.

    Each number has one writer.
    """

    def __init__(self, path: Path, replicas: int) -> None:
        size = _NUMBER.size * (2 + 2 * replicas)
        if not path.exists():
            path.write_bytes(bytes(size))
        with path.open("r+b") as file:
            self._memory = mmap.mmap(file.fileno(), size)

    @property
    def now(self) -> datetime:
        return _EPOCH + timedelta(microseconds=self._read(0))

    def set_clock(self, now: datetime) -> None:
        self._write(0, (now - _EPOCH) // timedelta(microseconds=1))

    @property
    def asked(self) -> int:
        return self._read(1)

    def ask_for_a_round(self) -> int:
        """Let every replica look at the schedule once; return the round's number."""
        self._write(1, self.asked + 1)
        return self.asked

    def pid(self, replica: int) -> int:
        return self._read(2 + 2 * replica)

    def set_pid(self, replica: int, pid: int) -> None:
        self._write(2 + 2 * replica, pid)

    def made(self, replica: int) -> int:
        return self._read(3 + 2 * replica)

    def set_made(self, replica: int, number: int) -> None:
        self._write(3 + 2 * replica, number)

    def _read(self, place: int) -> int:
        return int(_NUMBER.unpack_from(self._memory, place * _NUMBER.size)[0])

    def _write(self, place: int, number: int) -> None:
        _NUMBER.pack_into(self._memory, place * _NUMBER.size, number)


class ClockedDatabase(Database):
    """A database whose clock is the board's."""

    def __init__(self, url: str, board: Board) -> None:
        super().__init__(create_engine(url, **database_options(url, threads=2)))
        self._board = board

    def now(self, session: Session) -> datetime:
        return self._board.now


class _QuickScrape(BackgroundScrape):
    def work(self) -> None:
        time.sleep(random.uniform(0, LONGEST_SCRAPE_S))
        with self._database.writing() as session:
            self._renew_lease(session)
            self._record_end(session, RunStatus.DONE)


class _QuickScrapes(Scrapes):
    def _begin(self, session: Session, username: str, now: datetime) -> BackgroundScrape:
        run = super()._begin(session, username, now).run
        return _QuickScrape(KIND, run, self._settings, self._database, {})

    def _follow_up(self, background: PublishingRun, status: RunStatus) -> None:
        pass

    def _announce(self, run: ScrapeRun) -> None:
        pass


def follow(database: ClockedDatabase, settings: Settings) -> ScrapeSchedule:
    """Return the schedule of a shop whose scrapes are quick."""
    metrics = Metrics(_no_state)
    scrapes = _QuickScrapes(settings, database, CatalogueStore(database), metrics, lambda: None)
    return ScrapeSchedule(ScheduleSettings(), database, scrapes, metrics)


def _no_state() -> ShopState:
    raise AssertionError("these replicas have no /metrics")


def _serve(board: Board, replica: int, url: str) -> None:
    settings = make_settings(Path(tempfile.gettempdir()), database_url=url, scrape_runs_kept=10_000)
    schedule = follow(ClockedDatabase(url, board), settings)
    tasks = PeriodicTasks("schedule-tasks", [schedule.run_due])
    made = 0
    while True:
        if (asked := board.asked) > made:
            tasks.run_pending()
            made = asked
            board.set_made(replica, made)
        time.sleep(_PAUSE_S)


def main(board: Board, url: str, replicas: int) -> None:
    """Fork the replicas, and again each one that has ended."""
    logging.getLogger("app").setLevel(logging.ERROR)
    numbers: dict[int, int] = {}
    for number in range(replicas):
        numbers[_fork(board, number, url)] = number
    while True:
        ended, _ = os.wait()
        number = numbers.pop(ended)
        numbers[_fork(board, number, url)] = number


def _fork(board: Board, number: int, url: str) -> int:
    board.set_made(number, 0)
    pid = os.fork()
    if pid == 0:
        try:
            random.seed()
            _serve(board, number, url)
        finally:
            os._exit(1)
    board.set_pid(number, pid)
    return pid


if __name__ == "__main__":
    main(Board(Path(sys.argv[1]), int(sys.argv[3])), sys.argv[2], int(sys.argv[3]))
