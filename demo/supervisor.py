"""Programs that start together and end together."""

import contextlib
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any, Self

import requests

from operating_system import APART, END_SIGNALS, HANGUP_SIGNALS, WINDOWS, kill_group

POLL_INTERVAL_S = 0.1
LOG_TAIL_LINES = 15


class StopRequested(Exception):
    """Ctrl-C, a closed terminal, or SIGTERM."""


class ProgramFailed(Exception):
    """A program ended by itself or did not get ready; the text names it, with the end of its log."""


@dataclass(frozen=True, slots=True)
class Program:
    """A program to run; `ready_path` responds with 200 on `port` once it is ready, if it serves at all."""

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str]
    port: int = 0
    ready_path: str = ""

    @property
    def url(self) -> str:
        return f"http://localhost:{self.port}"


class Supervisor:
    """Run programs, as a context manager that leaves none behind.

    Each leads a process group of its own, so that a Ctrl-C in the terminal reaches only this process, which
    then ends the others in turn, the last one first. Signals set a flag, as an exception between the start of a
    child and its entry in the list would leave an orphan.
    """

    def __init__(
        self, logs: Path, folder: Path, ready_timeout_s: float = 60.0, stop_timeout_s: float = 10.0
    ) -> None:
        self._logs = logs
        self._folder = folder
        self._ready_timeout_s = ready_timeout_s
        self._stop_timeout_s = stop_timeout_s
        self._running: list[tuple[Program, subprocess.Popen[bytes]]] = []
        self._handlers: dict[signal.Signals, Any] = {}
        self._stop = False

    def __enter__(self) -> Self:
        for number in END_SIGNALS | HANGUP_SIGNALS:
            self._handlers[number] = signal.signal(number, self._request_stop)
        self._logs.mkdir(parents=True, exist_ok=True)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        while self._running:
            _end(self._running.pop()[1], self._stop_timeout_s)
        for number, handler in self._handlers.items():
            signal.signal(number, handler)

    def start(self, program: Program) -> None:
        with self._log(program).open("wb") as log:
            child = subprocess.Popen(  # noqa: S603 - its own list of programs
                program.command,
                cwd=self._folder,
                env=program.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                **APART,
            )
        self._running.append((program, child))

    def wait_for(self, program: Program) -> None:
        """Wait until `program` is ready. Raises ProgramFailed or StopRequested."""
        deadline = time.monotonic() + self._ready_timeout_s
        for _ in self.watch():
            if _is_ready(program.url + program.ready_path):
                return
            if time.monotonic() > deadline:
                raise self._failure(program, f"has not answered within {self._ready_timeout_s:.0f} s")

    def watch(self) -> Iterator[None]:
        """Iterate as long as every program runs. Raises ProgramFailed or StopRequested."""
        while True:
            for program, child in self._running:
                if child.poll() is not None:
                    raise self._failure(program, f"ended by itself (exit code {child.returncode})")
            if self._stop:
                raise StopRequested
            yield
            time.sleep(POLL_INTERVAL_S)

    def _request_stop(self, _number: int, _frame: FrameType | None) -> None:
        self._stop = True

    def _log(self, program: Program) -> Path:
        return self._logs / f"{program.name}.log"

    def _failure(self, program: Program, event: str) -> ProgramFailed:
        log = self._log(program)
        tail = log.read_text(encoding="utf-8", errors="replace").splitlines()[-LOG_TAIL_LINES:]
        return ProgramFailed("\n  ".join([f"{program.name} {event}. The end of {log}:", *tail]))


def is_taken(port: int) -> bool:
    """Tell whether `port` of this machine is in use, or unavailable for another reason."""
    with contextlib.suppress(OSError):
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
        return True
    with socket.socket() as probe:
        # The past connections of a server don't count.
        if not WINDOWS:  # where this would allow to take over a port that is in use
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return True
    return False


def _is_ready(url: str) -> bool:
    with requests.Session() as session:
        session.trust_env = False
        try:
            return session.get(url, timeout=2).status_code == 200
        except requests.RequestException:
            return False


def _end(child: subprocess.Popen[bytes], timeout_s: float) -> None:
    """Terminate the child; then kill what is left of its process group."""
    child.terminate()
    with contextlib.suppress(subprocess.TimeoutExpired):
        child.wait(timeout_s)
    kill_group(child.pid)
    child.wait()
