"""Programs that run together and end together."""

from __future__ import annotations

import contextlib
import os
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

ANSWERS_WITHIN_S = 60.0
ENDS_WITHIN_S = 10.0
LOOKS_EVERY_S = 0.1
LAST_LINES = 15


class AskedToStop(Exception):
    """Somebody pressed Ctrl-C, closed the terminal, or sent SIGTERM."""


class Broken(Exception):
    """A program ended by itself or never answered; the text says which, with the end of its log."""


@dataclass(frozen=True, slots=True)
class Program:
    """`ready_path` answers 200 on `port` once the program is ready; one that serves nothing has neither."""

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str]
    port: int = 0
    ready_path: str = ""

    @property
    def url(self) -> str:
        return f"http://localhost:{self.port}"


class Running:
    """Running programs, as a context manager that leaves none behind.

    Each is the leader of a process group of its own, so that a Ctrl-C in the terminal reaches only this one, which
    then ends the others in turn, the last one first. Signals set a flag, as an exception between the birth of a
    child and its entry in the list would leave an orphan.
    """

    def __init__(self, logs: Path, folder: Path) -> None:
        self._logs = logs
        self._folder = folder
        self._running: list[tuple[Program, subprocess.Popen[bytes]]] = []
        self._handlers: dict[signal.Signals, Any] = {}
        self._stop = False

    def __enter__(self) -> Self:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            self._handlers[number] = signal.signal(number, self._ask_to_stop)
        self._logs.mkdir(parents=True, exist_ok=True)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        while self._running:
            _end(self._running.pop()[1])
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
                start_new_session=True,
            )
        self._running.append((program, child))

    def wait_for(self, program: Program) -> None:
        """Raises Broken or AskedToStop."""
        deadline = time.monotonic() + ANSWERS_WITHIN_S
        for _ in self.watch():
            if _answers(program.url + program.ready_path):
                return
            if time.monotonic() > deadline:
                raise self._broken(program, f"has not answered within {ANSWERS_WITHIN_S:.0f} s")

    def watch(self) -> Iterator[None]:
        """Go on while everything does. Raises Broken or AskedToStop."""
        while True:
            for program, child in self._running:
                if child.poll() is not None:
                    raise self._broken(program, f"ended by itself (exit code {child.returncode})")
            if self._stop:
                raise AskedToStop
            yield
            time.sleep(LOOKS_EVERY_S)

    def _ask_to_stop(self, _number: int, _frame: FrameType | None) -> None:
        self._stop = True

    def _log(self, program: Program) -> Path:
        return self._logs / f"{program.name}.log"

    def _broken(self, program: Program, what: str) -> Broken:
        log = self._log(program)
        last = log.read_text(encoding="utf-8", errors="replace").splitlines()[-LAST_LINES:]
        return Broken("\n  ".join([f"{program.name} {what}. The end of {log}:", *last]))


def is_taken(port: int) -> bool:
    """Whether somebody listens on `port` of this machine, or it can't be had for another reason."""
    with contextlib.suppress(OSError):
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
        return True
    with socket.socket() as probe:
        probe.setsockopt(
            socket.SOL_SOCKET, socket.SO_REUSEADDR, 1
        )  # the past connections of a server don't count
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return True
    return False


def _answers(url: str) -> bool:
    with requests.Session() as session:
        session.trust_env = False
        try:
            return session.get(url, timeout=2).status_code == 200
        except requests.RequestException:
            return False


def _end(child: subprocess.Popen[bytes]) -> None:
    """Ask the child to end; after a while, or if it leaves somebody behind, kill its whole group."""
    child.terminate()
    with contextlib.suppress(subprocess.TimeoutExpired):
        child.wait(ENDS_WITHIN_S)
    with contextlib.suppress(
        ProcessLookupError, PermissionError
    ):  # macOS says the latter of a group of zombies
        os.killpg(child.pid, signal.SIGKILL)
    child.wait()
