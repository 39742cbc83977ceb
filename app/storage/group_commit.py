"""Writers of one process: one at a time in the order of arrival, and small ones in one durable transaction."""

import contextvars
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any, TypeVar

from sqlalchemy import exc
from sqlalchemy.orm import Session

Result = TypeVar("Result")
MAX_UNITS = 64
MAX_BATCH_S = 0.005
"""Age at which a batch takes no more units: those that came first wait for its commit."""


class _Turn:
    """A writer in the queue, woken when it is the first there; its transaction is its own."""

    def __init__(self) -> None:
        self.wake = threading.Event()


class _Unit(_Turn):
    """A unit of work; `taken` by the thread that does it, it is woken when it is committed or has failed."""

    def __init__(self, work: Callable[[Session], Any]) -> None:
        super().__init__()
        self.taken = False
        self._work = work
        self._context = contextvars.copy_context()  # for the request's id in what the work logs
        self._result: Any = None
        self.error: BaseException | None = None

    def run(self, session: Session) -> None:
        """Do the work. Raises what it raises."""
        self._result = self._context.run(self._work, session)
        session.flush()
        session.expunge_all()

    def run_apart(self, session: Session) -> None:
        """Do the work in a savepoint, so that its failure is its own. Raises where the whole transaction is lost."""
        connection = session.connection()
        connection.exec_driver_sql("SAVEPOINT unit")
        try:
            self.run(session)
        except BaseException as error:  # noqa: BLE001 - the thread whose work it is raises it
            self.error = error
            connection.exec_driver_sql("ROLLBACK TO unit")
            session.expunge_all()
        connection.exec_driver_sql("RELEASE unit")

    def outcome(self) -> Any:
        """Return what the work returned or raise what it raised."""
        try:
            if self.error is not None:
                raise self.error
            return self._result
        finally:
            self.error = None  # its traceback refers to this turn


class WriterQueue:
    """Lets one thread write at a time, as SQLite does, and commits the units of work that wait together.

    The first turn in `_queue` is the writer. Where it is a unit of work, its thread also runs the units right behind
    it, commits once, and only then wakes their threads. `_mutex` protects `_queue` and `taken`.
    """

    def __init__(self, begin: Callable[[], AbstractContextManager[Session]], timeout_s: float) -> None:
        """Take what opens a transaction, and how long a writer waits for its turn."""
        self._begin = begin
        self._timeout_s = timeout_s
        self._mutex = threading.Lock()
        self._queue: deque[_Turn] = deque()

    def run(self, work: Callable[[Session], Result]) -> Result:
        """Return the result of `work` once it is committed.

        Raises what it raised, why the commit failed, or sqlalchemy.exc.TimeoutError.
        """
        unit = _Unit(work)
        self._enter(unit)
        if not unit.taken:
            self._lead(unit)
        result: Result = unit.outcome()
        return result

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Hold the writer's turn alone. Raises sqlalchemy.exc.TimeoutError."""
        turn = _Turn()
        self._enter(turn)
        try:
            yield
        finally:
            self._leave([turn])

    def _enter(self, turn: _Turn) -> None:
        """Return when `turn` is the first in the queue, or another thread has done its work."""
        with self._mutex:
            self._queue.append(turn)
            if self._queue[0] is turn:
                return
        try:
            if turn.wake.wait(self._timeout_s):
                return
        except BaseException:
            self._withdraw(turn)
            raise
        if self._withdraw(turn):
            raise exc.TimeoutError("the writers of this process are too busy")
        if not turn.wake.wait(self._timeout_s):
            raise exc.TimeoutError("the commit hangs: what was to be written may or may not be stored")

    def _withdraw(self, turn: _Turn) -> bool:
        """Leave the queue; return False where that is too late, since another thread does the work already."""
        with self._mutex:
            if isinstance(turn, _Unit) and turn.taken:
                return False
            self._queue.remove(turn)
            self._wake_first()
            return True

    def _lead(self, own: _Unit) -> None:
        """Run the units at the head of the queue in one transaction."""
        batch = [own]
        own.taken = True
        try:
            deadline = time.monotonic() + MAX_BATCH_S
            with self._begin() as session:
                own.run(session)  # no savepoint: where it raises, nothing else is lost
                while (unit := self._next(batch, deadline)) is not None:
                    unit.run_apart(session)
        except BaseException as error:  # noqa: BLE001 - each thread raises it
            for unit in batch:
                unit.error = unit.error or error
        finally:
            self._leave(batch)

    def _next(self, batch: list[_Unit], deadline: float) -> _Unit | None:
        """Take the unit behind `batch` into it; return None where there is none or `batch` is full."""
        if len(batch) == MAX_UNITS or time.monotonic() > deadline:
            return None
        with self._mutex:
            unit = self._queue[len(batch)] if len(self._queue) > len(batch) else None
            if not isinstance(unit, _Unit):
                return None
            unit.taken = True
            batch.append(unit)
            return unit

    def _leave(self, turns: Sequence[_Turn]) -> None:
        """Take `turns`, the first in the queue, out of it, and wake their threads and the next writer's."""
        with self._mutex:
            for _ in turns:
                self._queue.popleft()
            self._wake_first()
        for turn in turns:
            turn.wake.set()

    def _wake_first(self) -> None:
        if self._queue:
            self._queue[0].wake.set()
