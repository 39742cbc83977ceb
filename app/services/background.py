"""Runs in the background: their threads, leases and ends. One of a kind runs at a time in the whole shop."""

import logging
import threading
import time
import weakref
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, NamedTuple, TypeVar, cast

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from app.affinity import run_on_any_core
from app.core.errors import Conflict
from app.core.runs import LeaseLost, Run, RunStatus
from app.processes import is_known_alive, is_known_dead, own_identity
from app.settings import Settings
from app.storage.database import Database
from app.storage.runs import LEASE_TTL, RunTable

log = logging.getLogger(__name__)

R = TypeVar("R", bound=Run)
Claim = Callable[[Session, datetime], Callable[[int], None]]
"""Called in the transaction that begins a run, and its result with the run's id; either may raise to prevent it."""
B = TypeVar("B", bound="BackgroundRun[Any]")
N = TypeVar("N", bound="BackgroundRun[Any]")

STOP_TIMEOUT_S = 10.0
CRASHED = "Falha interna; o motivo está no log do servidor."


class RunFailed(Exception):
    """A run that ends without success; `reason` is a sentence for people."""

    def __init__(self, reason: str, status: RunStatus = RunStatus.ERROR) -> None:
        self.reason = reason
        self.status = status
        super().__init__(reason)


class RunEvents(NamedTuple):
    """The names of a kind's log events."""

    ended: str
    interrupted: str
    crashed: str
    lease_lost: str
    end_not_recorded: str


@dataclass(frozen=True, slots=True)
class RunKind(Generic[R]):
    """A kind of run: its name, its id's name in the log, its events, its rows, its error and its sentences."""

    name: str
    id_name: str
    events: RunEvents
    table: RunTable[R]
    conflict: Callable[[int], Conflict]
    stopped: str
    orphaned: str

    def log(self, level: int, event: str, run: R) -> None:
        """Log one of `events`, an error with the exception that is being handled."""
        log.log(level, event, extra={self.id_name: run.id}, exc_info=level == logging.ERROR)


class BackgroundRun(ABC, Generic[R]):
    """The work of one run, done by a thread of its own."""

    def __init__(self, kind: RunKind[R], run: R, settings: Settings, database: Database) -> None:
        self.run = run
        self._kind = kind
        self._settings = settings
        self._database = database
        self._stopping = threading.Event()

    @abstractmethod
    def work(self) -> None:
        """Work and record the success. Raises RunFailed or LeaseLost."""

    def stop(self) -> None:
        """End the run as interrupted, soon."""
        self._stopping.set()

    def execute(self) -> RunStatus | None:
        """Work; return how the run ended, as its row says, or None where that could not be recorded."""
        try:
            status, reason = self._attempt()
            if status is not RunStatus.DONE:
                with self._database.writing() as session:
                    self._renew_lease(session)
                    self._record_end(session, status, reason)
        except LeaseLost:
            self._kind.log(logging.WARNING, self._kind.events.lease_lost, self.run)
            return None
        except SQLAlchemyError:
            # The lease expires unrenewed, and the next look at the runs finds this one orphaned.
            self._kind.log(logging.ERROR, self._kind.events.end_not_recorded, self.run)
            return None
        log.info(
            self._kind.events.ended,
            extra={self._kind.id_name: self.run.id, "outcome": status.value, "reason": reason},
        )
        return status

    def _record_end(self, session: Session, status: RunStatus, reason: str | None = None) -> None:
        self._kind.table.close(session, self.run.id, status, reason, self._database.now(session))

    def _renew_lease(self, session: Session) -> None:
        """Raise LeaseLost where another process has reaped this run."""
        if not self._kind.table.renew(session, self.run.id, own_identity(), self._database.now(session)):
            raise LeaseLost

    def _attempt(self) -> tuple[RunStatus, str | None]:
        try:
            self.work()
        except LeaseLost:
            raise
        except Exception as error:  # noqa: BLE001 - the row must say how the run ended
            failed = isinstance(error, RunFailed) and error.status is RunStatus.ERROR
            if not failed and (self._stopping.is_set() or _refused_by_ending_interpreter(error)):
                return RunStatus.INTERRUPTED, self._kind.stopped
            if isinstance(error, RunFailed):
                return error.status, error.reason
            self._kind.log(logging.ERROR, self._kind.events.crashed, self.run)
            return RunStatus.ERROR, CRASHED
        return RunStatus.DONE, None


class RunManager(ABC, Generic[R, B]):
    """Starts runs and watches their leases.

    `_lock` protects its state, and `_watched_lock` the last lease seen, `_watched`.
    """

    def __init__(self, kind: RunKind[R], settings: Settings, database: Database) -> None:
        self._kind = kind
        self._settings = settings
        self._database = database
        self._lock = threading.Lock()
        self._running: Callable[[], B | None] = lambda: None
        """Refers weakly to this process' run, so that a crawl's pages do not outlive its thread."""
        self._thread: threading.Thread | None = None
        self._stopped = False
        self._watched: tuple[int, datetime | None] | None = None
        self._watched_since = 0.0
        self._watched_lock = threading.Lock()

    @abstractmethod
    def _begin(self, session: Session, username: str, now: datetime) -> B:
        """Add the row of a run in progress."""

    def _announce(self, run: R) -> None:
        """Show outside the database that a run begins."""

    @abstractmethod
    def _follow_up(self, background: B, status: RunStatus) -> None:
        """Count an ended run of this process, and update snapshots and files after the database."""

    @abstractmethod
    def _count_interrupted(self, run: R) -> None:
        """Count a reaped run."""

    @abstractmethod
    def _ensure_visible(self, run: R) -> None:
        """Have this process show what `run` published: a client that reads of its end reads its results."""

    def start(self, username: str) -> R:
        """Begin a run in the background. Raises a Conflict while any process has one in progress."""
        return self._start(username)

    def _start(self, username: str, claim: Claim | None = None) -> R:
        """Begin a run if `claim`, where one is given, lets it begin."""
        run: R = self._launch(lambda session, now: self._begin(session, username, now), claim)[0].run
        return run

    def _launch(
        self, begin: Callable[[Session, datetime], N], claim: Claim | None = None
    ) -> tuple[N, threading.Thread]:
        """Begin a run by `begin`, and return it with its thread. Raises a Conflict as `start` does."""
        with self._lock:
            with self._database.writing() as session:
                self._kind.table.lock(session)
                for other in self._reap(session):
                    raise self._kind.conflict(other.id)
                now = self._database.now(session)
                record = None if claim is None else claim(session, now)
                background = begin(session, now)
                run: R = background.run
                if record is not None:
                    record(run.id)
            if self._thread is not None:
                self._thread.join(STOP_TIMEOUT_S)  # its run has ended, but it may still be writing files
            if self._stopped:
                background.stop()
            self._running = weakref.ref(cast("B", background))
            self._announce(run)
            name = f"{self._kind.name}-{run.id}"
            self._thread = threading.Thread(target=self._execute, args=(background,), name=name, daemon=True)
            self._thread.start()
            return background, self._thread

    def latest(self) -> R | None:
        """Return the newest run, in progress or ended, once this process shows what it published."""
        with self._database.reading() as session:
            run = self._kind.table.latest(session)
            in_progress = run is not None and run.status is RunStatus.PROCESSING
            now = self._database.now(session) if in_progress else None
        if run is not None and now is not None and self._is_orphaned(run, now):
            self.reap_stale_runs()
            with self._database.reading() as session:
                run = self._kind.table.latest(session)
        if run is not None:
            self._ensure_visible(run)
        return run

    def reap_stale_runs(self) -> None:
        """Mark orphaned runs as interrupted."""
        with self._database.writing() as session:
            self._kind.table.lock(session)
            self._reap(session)

    def stop(self) -> None:
        """End this process' run as interrupted and join its thread."""
        with self._lock:
            self._stopped = True
            if (background := self._running()) is not None:
                background.stop()
            if self._thread is not None:
                self._thread.join(STOP_TIMEOUT_S)

    def _execute(self, background: B) -> None:
        run_on_any_core()  # the thread that started this one may be bound to the readers' core
        status = background.execute()
        if status is not None:
            self._follow_up(background, status)

    def _reap(self, session: Session) -> list[R]:
        """Mark orphaned runs as interrupted; return the others that are in progress."""
        others = []
        now = self._database.now(session)
        for run in self._kind.table.in_progress(session, lock=True):
            if not self._is_orphaned(run, now):
                others.append(run)
                continue
            self._kind.log(logging.WARNING, self._kind.events.interrupted, run)
            self._kind.table.close(session, run.id, RunStatus.INTERRUPTED, self._kind.orphaned, now)
            self._count_interrupted(run)
        return others

    def _is_orphaned(self, run: R, now: datetime) -> bool:
        """Return whether a run in progress has no living holder that renews its lease.

        Where the holder is known to be alive, an expired lease may mean that the clock was set: the run is orphaned
        only when this process has seen the lease unrenewed for as long as it lasts, by a clock that can't be set. So
        does a lease that lasts for longer than any is given: the clock was ahead, perhaps by years.
        """
        if run.holder is None or run.expires_at is None or is_known_dead(run.holder):
            return True
        if now < run.expires_at <= now + LEASE_TTL:
            return False
        clock_was_set = run.expires_at > now or is_known_alive(run.holder)
        return not clock_was_set or self._unrenewed_for_s(run) >= LEASE_TTL.total_seconds()

    def _unrenewed_for_s(self, run: R) -> float:
        """Return for how long this process has seen the lease of `run` as it is."""
        lease = (run.id, run.expires_at)
        with self._watched_lock:
            if self._watched != lease:
                self._watched, self._watched_since = lease, time.monotonic()
            return time.monotonic() - self._watched_since


def _refused_by_ending_interpreter(error: Exception) -> bool:
    """Return whether thread pools take no more work, which may come before anything could call `stop`.

    Only the text tells: concurrent.futures and threading raise a bare RuntimeError "... interpreter shutdown".
    """
    return isinstance(error, RuntimeError) and "interpreter shutdown" in str(error)
