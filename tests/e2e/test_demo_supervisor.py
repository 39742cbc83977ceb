"""The supervisor of `python -m demo`, with programs of a line."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from demo.supervisor import Program, ProgramFailed, Supervisor, is_taken
from tests.support.server import free_port

SERVES = (
    "import http.server; http.server.HTTPServer(('127.0.0.1', {port}), http.server.SimpleHTTPRequestHandler)"
)


def python(name: str, code: str, port: int = 0) -> Program:
    return Program(name, (sys.executable, "-u", "-c", code), dict(os.environ), port, "/")


def is_alive(pid: int) -> bool:
    status = subprocess.run(
        ["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    return status.stdout.strip() not in ("", "Z", "Zs", "Z+")


@pytest.fixture
def supervisor(tmp_path: Path) -> Supervisor:
    return Supervisor(tmp_path / "logs", tmp_path)


def test_a_program_is_waited_for_until_it_is_ready_and_then_ended(
    supervisor: Supervisor, tmp_path: Path
) -> None:
    port = free_port()
    (tmp_path / "index.html").write_text("hello")
    with supervisor:
        supervisor.start(python("server", f"{SERVES.format(port=port)}.serve_forever()", port))
        supervisor.wait_for(python("server", "", port))
        assert is_taken(port)
    assert not is_taken(port)


def test_one_that_ends_by_itself_is_named_with_the_end_of_its_log(supervisor: Supervisor) -> None:
    with (
        pytest.raises(
            ProgramFailed, match=r"(?s)^short ended by itself \(exit code 3\)\..*short\.log:.*last words"
        ),
        supervisor,
    ):
        supervisor.start(python("long", "import time; time.sleep(60)"))
        supervisor.start(python("short", "print('last words'); raise SystemExit(3)"))
        for _ in supervisor.watch():
            pass


def test_one_that_never_gets_ready_is_named(tmp_path: Path) -> None:
    supervisor = Supervisor(tmp_path / "logs", tmp_path, ready_timeout_s=0.2)
    program = python("mute", "import time; time.sleep(60)", free_port())
    with pytest.raises(ProgramFailed, match="mute has not answered"), supervisor:
        supervisor.start(program)
        supervisor.wait_for(program)


def test_one_that_ignores_sigterm_is_killed_with_its_children(tmp_path: Path) -> None:
    deaf = (
        "import os, signal, subprocess, sys, time\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])\n"
        "print(os.getpid(), child.pid)\n"
        "time.sleep(60)\n"
    )
    log = tmp_path / "logs" / "deaf.log"
    with Supervisor(tmp_path / "logs", tmp_path, stop_timeout_s=0.2) as supervisor:
        supervisor.start(python("deaf", deaf))
        for _ in supervisor.watch():
            if log.read_text():
                break
        pids = [int(pid) for pid in log.read_text().split()]
        assert len(pids) == 2
        assert all(is_alive(pid) for pid in pids)
    assert not any(is_alive(pid) for pid in pids)
