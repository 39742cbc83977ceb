"""The real dashboard, as a process of its own on a free port."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Self

import requests

from tests.support.server import ROOT, free_port

STREAMLIT = Path(sys.executable).with_name("streamlit")
START_TIMEOUT_S = 60.0
STOP_TIMEOUT_S = 20.0


class DashboardServer:
    """`streamlit run` for one API, as a context manager; ended by its own process id."""

    def __init__(self, log: Path, *, api_url: str, prometheus_url: str, api_token: str = "") -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = log
        self._environment = {
            **{name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ},
            "API_URL": api_url,
            "API_TOKEN": api_token,
            "PROMETHEUS_URL": prometheus_url,
            "DASHBOARD_REFRESH_S": "1",
        }

    def __enter__(self) -> Self:
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [STREAMLIT, "run", "dashboards/dashboard_unificado.py", "--server.port", str(self.port)],
                cwd=ROOT,
                env=self._environment,
                stdout=log,
                stderr=log,
            )
        deadline = time.monotonic() + START_TIMEOUT_S
        while time.monotonic() < deadline and self._process.poll() is None:
            try:
                if requests.get(f"{self.url}/_stcore/health", timeout=2).status_code == 200:
                    return self
            except requests.ConnectionError:
                time.sleep(0.05)
        self._stop()
        raise AssertionError(f"the dashboard did not start:\n{self.log.read_text()}")

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop()

    def _stop(self) -> None:
        self._process.terminate()
        try:
            self._process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
