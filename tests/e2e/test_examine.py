"""`make examine` against a real server."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable

from tests.support.server import ROOT, Server


def test_the_examiner_finds_a_running_shop_right(start_on: Callable[..., Server]) -> None:
    server = start_on()
    command = [sys.executable, "-W", "error", "-m", "tools.examine", server.url]
    process = subprocess.run(
        command, cwd=ROOT, env=server.environment, capture_output=True, text=True, timeout=120, check=False
    )
    assert process.returncode == 0, process.stdout + process.stderr
    assert process.stdout.splitlines()[-1].endswith(" 0 erradas")
    assert process.stdout.count("certo  enunciado") == 15
    assert server.flask("audit").returncode == 0


def test_the_examiner_fails_where_no_shop_answers() -> None:
    command = [sys.executable, "-m", "tools.examine", "http://127.0.0.1:9"]
    process = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert process.returncode == 1
    assert "certo " not in process.stdout
