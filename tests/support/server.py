"""The real server, as a process of its own."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import requests

ROOT = Path(__file__).parents[2]
START_WITHIN_S = 30.0
END_WITHIN_S = 20.0


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def children_of(pid: int) -> list[int]:
    """Return the processes that a process has started from its first thread."""
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


class Server:
    """`python run.py` on a free port, as a context manager; ended by its own process id."""

    own_session = True
    """Its processes are a group, which a signal reaches together."""
    command: tuple[str, ...] = ()
    """The program that runs it, if any."""
    program: tuple[str, ...] = ("run.py",)
    """What Python runs."""

    def __init__(self, data_dir: Path, root: Path = ROOT, **environment: str) -> None:
        """Serves the shop in the folder `root`."""
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.data_dir = data_dir
        self._root = root
        self.environment = {
            **{name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ},
            "DATA_DIR": str(data_dir),
            "FLASK_APP_PORT": str(self.port),
            "PASSWORD_HASH_MEMORY_KIB": "8",
            "PASSWORD_HASH_ROUNDS": "1",
            "SCRAPER_BASE_URL": "http://127.0.0.1:9/",
            "WRITES_PER_MINUTE": "10000000",  # counted as in production, but all clients of a test are one
            "ML_AUTO_TRAIN": "false",  # it would take a core from the test for a quarter of a minute
            **environment,
        }
        self.log = data_dir.parent / f"server-{self.port}.log"
        self.process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.running:
            self.end(signal.SIGTERM)

    @property
    def database_url(self) -> str:
        """The address of its database, empty where that is in the data directory."""
        return self.environment.get("DATABASE_URL", "")

    @property
    def workers(self) -> list[int]:
        """The process ids of its workers."""
        assert self.process is not None
        return children_of(self.process.pid)

    @property
    def running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def start(self, within_s: float = START_WITHIN_S) -> None:
        """Start and wait for the first healthy response. Raises AssertionError where there is none in time."""
        self.launch()
        self.wait_until_healthy(within_s)

    def wait_until_healthy(self, within_s: float = START_WITHIN_S) -> None:
        """Wait for the first healthy response. Raises AssertionError where there is none in time."""
        deadline = time.monotonic() + within_s
        while time.monotonic() < deadline and self.running:
            try:
                if requests.get(f"{self.url}/health", timeout=2).status_code == 200:
                    return
            except requests.ConnectionError:
                time.sleep(0.02)
        raise AssertionError(f"the server did not start:\n{self.log.read_text()}")

    def launch(self) -> None:
        """Start without waiting for anything."""
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [*self.command, sys.executable, *self.program],
                cwd=self._root,
                env=self.environment,
                stdout=log,
                stderr=log,
                start_new_session=self.own_session,
            )

    def end(self, how: signal.Signals, *, workers_too: bool = False) -> int:
        """Send `how` to the supervisor, wait until its port is free, and return its exit code."""
        assert self.process is not None
        if workers_too:
            os.killpg(self.process.pid, how)
        else:
            self.process.send_signal(how)
        code = self.process.wait(END_WITHIN_S)
        deadline = time.monotonic() + END_WITHIN_S
        while time.monotonic() < deadline:
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
            except OSError:
                return code
            time.sleep(0.02)
        raise AssertionError("a worker still listens on the server's port")

    def flask(self, *arguments: object) -> subprocess.CompletedProcess[str]:
        """Run a `flask` command on the data of this shop."""
        command = [sys.executable, "-m", "flask", *(str(argument) for argument in arguments)]
        return subprocess.run(
            command,
            cwd=self._root,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    def get(self, path: str, **arguments: Any) -> requests.Response:
        return requests.get(f"{self.url}{path}", timeout=10, **arguments)

    def post(
        self, path: str, headers: Mapping[str, str] | None = None, json: Any = None
    ) -> requests.Response:
        return requests.post(f"{self.url}{path}", headers=headers, json=json, timeout=10)

    def log_in(self, username: str = "admin", password: str = "1234") -> dict[str, str]:
        """Return the header of a new session."""
        response = self.post("/api/v1/auth/login", json={"username": username, "password": password})
        return {"Authorization": f"Bearer {response.json()['access_token']}"}

    def wait_for_scrape(self, within_s: float = 60) -> dict[str, Any]:
        """Poll the status until the run has ended."""
        deadline = time.monotonic() + within_s
        while time.monotonic() < deadline:
            status: dict[str, Any] = self.get("/api/v1/scraping/status").json()
            if status["status"] != "processing":
                return status
            time.sleep(0.05)
        raise AssertionError(f"still scraping after {within_s} s: {status}")
