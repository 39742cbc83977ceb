"""Run the real Prometheus with the configuration that the project ships."""

from __future__ import annotations

import shutil
import subprocess
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import requests

from tests.support.operators_files import CONFIG, RULE_FILES, hurried
from tests.support.programs import need
from tests.support.server import free_port

START_WITHIN_S = 30.0
HAS_DATA_WITHIN_S = 30.0


class Prometheus:
    """Prometheus on a free port of loopback that scrapes the shop at `target` every second.

    It reads copies of prometheus.yml and alerts/ that differ in the intervals alone, and `factor` divides the
    rules' windows. A context manager, terminated by its own process id.
    """

    def __init__(self, folder: Path, target: str, factor: int = 1) -> None:
        self._folder = folder
        self._program = need("prometheus", debian_package="prometheus")
        self._write_configuration(target, factor)
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        self._listen = f"127.0.0.1:{port}"
        self._log = folder / "log"
        self._process: subprocess.Popen[bytes] | None = None

    def _write_configuration(self, target: str, factor: int) -> None:
        (self._folder / "alerts").mkdir(parents=True)
        (self._folder / "targets").mkdir()
        config = CONFIG.read_text(encoding="utf-8").replace("_interval: 5s", "_interval: 1s")
        (self._folder / CONFIG.name).write_text(config, encoding="utf-8")
        for path in RULE_FILES:
            text = hurried(path.read_text(encoding="utf-8"), factor)
            (self._folder / "alerts" / path.name).write_text(text, encoding="utf-8")
        (self._folder / "targets" / "livraria.yml").write_text(f"- targets: ['{target}']", encoding="utf-8")
        (self._folder / "targets" / "alertmanager.yml").write_text("[]", encoding="utf-8")

    def __enter__(self) -> Self:
        options = ["--config.file=prometheus.yml", "--storage.tsdb.path=tsdb", "--log.level=warn"]
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [self._program, *options, f"--web.listen-address={self._listen}"],
                cwd=self._folder, stdout=log, stderr=log,
            )  # fmt: skip
        deadline = time.monotonic() + START_WITHIN_S
        while time.monotonic() < deadline and self._process.poll() is None:
            try:
                if requests.get(f"{self.url}/-/ready", timeout=2).status_code == 200:
                    return self
            except requests.ConnectionError:
                time.sleep(0.05)
        raise AssertionError(f"Prometheus did not start:\n{self._log.read_text()}")

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._process is not None
        self._process.terminate()
        self._process.wait(20)
        shutil.rmtree(self._folder / "tsdb", ignore_errors=True)

    def query(self, expression: str) -> list[dict[str, Any]]:
        """Return the series of `expression` now; a scalar is one series without labels."""
        data = self._get("query", query=expression)
        if data["resultType"] == "scalar":
            return [{"metric": {}, "value": data["result"]}]
        result: list[dict[str, Any]] = data["result"]
        return result

    def wait_for(self, expression: str, within_s: float = HAS_DATA_WITHIN_S) -> None:
        """Query until `expression` has data; AssertionError after `within_s`."""
        deadline = time.monotonic() + within_s
        while not self.query(expression):
            assert time.monotonic() < deadline, f"still nothing after {within_s} s: {expression}"
            time.sleep(0.1)

    def firing(self) -> dict[str, dict[str, Any]]:
        """Return the alerts that fire now, by name."""
        alerts = self._get("alerts")["alerts"]
        return {alert["labels"]["alertname"]: alert for alert in alerts if alert["state"] == "firing"}

    def rule_problems(self) -> list[str]:
        """Return the errors of the rules' last evaluation."""
        groups = self._get("rules")["groups"]
        return [rule["lastError"] for group in groups for rule in group["rules"] if rule.get("lastError")]

    def _get(self, endpoint: str, **parameters: str) -> Any:
        response = requests.get(f"{self.url}/api/v1/{endpoint}", params=parameters, timeout=10).json()
        assert response["status"] == "success", response
        return response["data"]
