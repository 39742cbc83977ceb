"""Load by wrk, which counts and times the responses."""

import json
import math
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

CONNECTIONS = 16
MISSING = "wrk is missing: `apt install wrk` on Debian and Ubuntu, `brew install wrk` on macOS."
_SCRIPT = Path(__file__).with_name("load.lua")


class LoadFailed(Exception):
    """A server refused requests or broke connections."""


@dataclass(frozen=True, slots=True)
class Load:
    """What one run of wrk measured: responses a second, and two percentiles of their latency in milliseconds.

    The percentiles are infinite where no response came in time.
    """

    rate: float
    p50_ms: float
    p99_ms: float


class Wrk:
    """A run in progress, which `wait` brings to its end."""

    def __init__(
        self,
        url: str,
        seconds: int,
        *script: str,
        connections: int = CONNECTIONS,
        headers: Sequence[str] = (),
    ) -> None:
        """Starts it; `script` is the arguments of load.lua. Raises FileNotFoundError where wrk is missing."""
        options = [part for header in headers for part in ("-H", header)]
        command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "10s", *options]
        self._url = url
        self._wait_at_most_s = seconds + 30
        self._process = subprocess.Popen(
            [*command, "-s", str(_SCRIPT), url, "--", *script], stdout=subprocess.PIPE, text=True
        )

    def wait(self) -> Load:
        """Raises LoadFailed for refused requests and broken connections, TimeoutExpired for a run without end."""
        try:
            output, _ = self._process.communicate(timeout=self._wait_at_most_s)
        except subprocess.TimeoutExpired:
            self._process.kill()
            raise
        try:
            return read_output(output)
        except LoadFailed as error:
            raise LoadFailed(f"{self._url}: {error}") from None


def read_output(output: str) -> Load:
    """Return what load.lua printed last. Raises LoadFailed for refused requests, broken connections and no totals."""
    lines = output.strip().splitlines()
    if not lines or not lines[-1].startswith("{"):
        raise LoadFailed(f"wrk ended without a result: {output!r}")
    totals = json.loads(lines[-1])
    if totals["refused"] or totals["broken"]:
        raise LoadFailed(
            f"{totals['requests']} responses, {totals['refused']} of them errors; "
            f"{totals['broken']} broken connections"
        )
    if not totals["requests"]:
        return Load(0.0, math.inf, math.inf)
    return Load(
        rate=totals["requests"] / (totals["duration_us"] / 1e6),
        p50_ms=totals["p50_us"] / 1_000,
        p99_ms=totals["p99_us"] / 1_000,
    )


def wrk_is_missing() -> bool:
    return shutil.which("wrk") is None
