"""`make demo`: everything that is installed, moving, and gone afterwards."""

from __future__ import annotations

import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import requests

from app.settings import SAMPLE_API_KEY
from demo.supervisor import is_taken
from tests.support.server import ROOT, free_port

NAMES = ("api", "site", "dashboard", "prometheus")
WITHIN_S = 60  # alone on 2 cores it takes 15, most of it the scrape; other tests run beside this one


class Demo:
    """`python -m demo` on free ports."""

    def __init__(self, folder: Path, **ports: int) -> None:
        self.ports = {name: free_port() for name in NAMES} | ports
        self.folder = folder
        options = [f"--{name}-port={port}" for name, port in self.ports.items()]
        self.process = subprocess.Popen(
            [sys.executable, "-W", "error", "-m", "demo", "--folder", str(folder), *options],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def get(self, name: str, path: str) -> requests.Response | None:
        try:
            url = f"http://127.0.0.1:{self.ports[name]}{path}"
            return requests.get(url, headers={"X-API-Key": SAMPLE_API_KEY}, timeout=5)
        except requests.RequestException:
            return None

    def wait_until(self, condition: Callable[[], bool]) -> None:
        deadline = time.monotonic() + WITHIN_S
        while not condition():
            assert self.process.poll() is None, self.process.communicate()
            logs = "\n".join(log.read_text()[-1_000:] for log in self.folder.glob("logs/*"))
            assert time.monotonic() < deadline, logs
            time.sleep(0.1)

    def is_moving(self) -> bool:
        """Return True if the metrics show visitors, orders, a scrape, a training and predictions."""
        response = self.get("api", "/metrics")
        if response is None:
            return False
        # Beside other tests a training takes longer than this one waits; that it is on its way is enough.
        training = ("livraria_training_running", "livraria_model_version")
        return any(value(response.text, series) for series in training) and all(
            value(response.text, series) > 0
            for series in (
                r'ecommerce_orders_created_total\{payment_status="approved",status="success"\}',
                r'api_requests_total\{endpoint="/api/v1/books",method="GET",status="200"\}',
                r'livraria_scrape_runs_total\{outcome="done"\}',
                r'api_requests_total\{endpoint="/api/v1/ml/predictions",method="POST",status="200"\}',
            )
        )

    def children(self) -> dict[int, str]:
        """Return the processes that it has started, and theirs, by id."""
        listed = subprocess.run(
            ["ps", "-A", "-o", "pid=,ppid=,args="], capture_output=True, text=True, check=True
        )
        processes = [line.split(None, 2) for line in listed.stdout.splitlines()]
        descendants: dict[int, str] = {}
        parents = {self.process.pid}
        while parents:
            children = {int(pid): args for pid, parent, args in processes if int(parent) in parents}
            descendants |= children
            parents = set(children)
        return descendants

    def end(self) -> tuple[int, str, str]:
        """Wait for its end; return the exit code, standard output and standard error."""
        out, err = self.process.communicate(timeout=WITHIN_S)
        return self.process.returncode, out, err


def value(metrics: str, series: str) -> float:
    match = re.search(rf"^{series} (\S+)$", metrics, re.MULTILINE)
    return float(match[1]) if match else 0.0


def alive(pids: dict[int, str]) -> dict[int, str]:
    """Return the processes that still run; a zombie does not."""
    listed = subprocess.run(["ps", "-A", "-o", "pid=,stat="], capture_output=True, text=True, check=True)
    states = dict(line.split(None, 1) for line in listed.stdout.splitlines())
    return {pid: args for pid, args in pids.items() if not states.get(str(pid), "Z").startswith("Z")}


@pytest.fixture
def start_demo(tmp_path: Path) -> Iterator[Callable[..., Demo]]:
    started: list[Demo] = []

    def start(**ports: int) -> Demo:
        started.append(Demo(tmp_path / "demo", **ports))
        return started[-1]

    yield start
    for demo in started:
        if demo.process.poll() is None:
            demo.process.terminate()
            demo.process.communicate(timeout=WITHIN_S)


def test_everything_moves_and_ends_without_a_trace(start_demo: Callable[..., Demo]) -> None:
    demo = start_demo()
    demo.wait_until(demo.is_moving)
    if shutil.which("prometheus"):
        up = "/api/v1/query?query=livraria_catalogue_books"
        demo.wait_until(
            lambda: bool((response := demo.get("prometheus", up)) and response.json()["data"]["result"])
        )
    demo.wait_until(lambda: (response := demo.get("dashboard", "/")) is not None and response.ok)
    children = demo.children()
    assert len(children) >= 5
    demo.process.send_signal(signal.SIGTERM)
    code, out, err = demo.end()
    assert (code, err) == (0, "")
    assert f"http://localhost:{demo.ports['api']}/apidocs/" in out
    assert out.endswith("Everything has ended.\n")
    assert not alive(children)
    assert not [name for name, port in demo.ports.items() if is_taken(port)]
    report = (demo.folder / "logs" / "traffic.log").read_text()
    assert "missed (late, so not sent)" in report  # it ended in order, too
    assert "unexpected:" not in report, report


def test_when_one_program_dies_the_others_end_and_it_is_named(start_demo: Callable[..., Demo]) -> None:
    demo = start_demo()
    demo.wait_until(lambda: any("demo.site" in args for args in demo.children().values()))
    children = demo.children()
    [site] = [pid for pid, args in children.items() if "demo.site" in args]
    demo.wait_until(lambda: demo.get("site", "/") is not None)
    children |= demo.children()
    subprocess.run(["kill", "-KILL", str(site)], check=True)
    code, _, err = demo.end()
    assert code == 1
    assert err.startswith("site ended by itself (exit code -9)")
    assert "books on http://127.0.0.1:" in err
    assert not alive(children)


def test_taken_ports_are_named_before_anything_starts(start_demo: Callable[..., Demo]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as one, socket.create_server(("127.0.0.1", 0)) as other:
        ports = {"api": one.getsockname()[1], "site": other.getsockname()[1]}
        code, _, err = start_demo(**ports).end()
    assert code == 2
    for name, port in ports.items():
        assert f"Port {port} is taken: free it, or choose another for the {name} with --{name}-port." in err
