"""Work that is repeated beside the requests."""

import logging
import threading
import time
from collections.abc import Callable, Sequence

from app.storage.faults import log_failure

log = logging.getLogger(__name__)

INTERVAL_S = 60.0
STOP_TIMEOUT_S = 10.0


class PeriodicTasks:
    """Tasks that one thread runs in rounds, every `interval_s` seconds, from `start` to `stop`.

    A pause lasts at least `min_idle_factor` times as long as the round before it. The first round begins after
    `first_after_s` seconds.
    """

    def __init__(
        self,
        name: str,
        tasks: Sequence[Callable[[], object]],
        min_idle_factor: int = 0,
        first_after_s: float = 0.0,
        interval_s: float = INTERVAL_S,
    ) -> None:
        self._tasks = tasks
        self._first_after_s = first_after_s
        self._interval_s = interval_s
        self._min_idle_factor = min_idle_factor
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        if self._thread.ident is not None:
            self._thread.join(STOP_TIMEOUT_S)

    def run_pending(self) -> None:
        """Run one round. A failed task is logged, holds up no other and runs again in the next round."""
        for task in self._tasks:
            if self._stopping.is_set():
                return
            try:
                task()
            except Exception as error:  # noqa: BLE001 - no task may end the thread of the others
                log_failure(log, "task_failed", error, task=str(task))

    def _run(self) -> None:
        self._stopping.wait(self._first_after_s)
        while not self._stopping.is_set():
            started_at = time.monotonic()
            self.run_pending()
            busy_s = time.monotonic() - started_at
            self._stopping.wait(max(self._interval_s, self._min_idle_factor * busy_s))
