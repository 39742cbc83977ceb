"""What has to be done again and again, beside the requests."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence

log = logging.getLogger(__name__)

EVERY_S = 60.0
STOP_WITHIN_S = 10.0


class Sweeper:
    """Runs its chores at once, and then every `EVERY_S`, in one thread that `start` begins and `stop` joins.

    A round is followed by a rest of at least `rests` times as long; the first waits for `first_after_s`.
    """

    def __init__(
        self,
        name: str,
        chores: Sequence[Callable[[], object]],
        rests: int = 0,
        first_after_s: float = 0.0,
    ) -> None:
        self._chores = chores
        self._first_after_s = first_after_s
        self._rests = rests
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        if self._thread.ident is not None:
            self._thread.join(STOP_WITHIN_S)

    def sweep(self) -> None:
        """One round: a chore that fails is logged, done again in the next round, and holds up no other."""
        for chore in self._chores:
            if self._stopping.is_set():
                return
            try:
                chore()
            except Exception:
                log.exception("task_failed", extra={"task": str(chore)})

    def _run(self) -> None:
        self._stopping.wait(self._first_after_s)
        while not self._stopping.is_set():
            began = time.monotonic()
            self.sweep()
            self._stopping.wait(max(EVERY_S, self._rests * (time.monotonic() - began)))
