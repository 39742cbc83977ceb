from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from demo import supervisor
from demo.supervisor import AskedToStop, Broken, Program, Running, is_taken

SERVES = (
    "import http.server; http.server.HTTPServer(('127.0.0.1', {port}), http.server.SimpleHTTPRequestHandler)"
)


def python(name: str, code: str, port: int = 0) -> Program:
    return Program(name, (sys.executable, "-u", "-c", code), dict(os.environ), port, "/")


def is_alive(pid: int) -> bool:
    found = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return found.stdout.strip() not in ("", "Z", "Zs", "Z+")


@pytest.fixture
def running(tmp_path: Path) -> Running:
    return Running(tmp_path / "logs", tmp_path)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_a_program_is_waited_for_until_it_answers_and_then_ended(running: Running, tmp_path: Path) -> None:
    port = free_port()
    (tmp_path / "index.html").write_text("hello")
    with running:
        running.start(python("server", f"{SERVES.format(port=port)}.serve_forever()", port))
        running.wait_for(python("server", "", port))
        assert is_taken(port)
    assert not is_taken(port)


def test_one_that_ends_by_itself_is_named_with_the_end_of_its_log(running: Running) -> None:
    with (
        pytest.raises(Broken, match=r"(?s)^short ended by itself \(exit code 3\)\..*short\.log:.*last words"),
        running,
    ):
        running.start(python("long", "import time; time.sleep(60)"))
        running.start(python("short", "print('last words'); raise SystemExit(3)"))
        for _ in running.watch():
            pass


def test_one_that_never_answers_is_named(running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervisor, "ANSWERS_WITHIN_S", 0.2)
    program = python("mute", "import time; time.sleep(60)", free_port())
    with pytest.raises(Broken, match="mute has not answered"), running:
        running.start(program)
        running.wait_for(program)


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_the_watch_and_later_ones_are_nobodys_trouble(
    running: Running, how: signal.Signals
) -> None:
    before = signal.getsignal(how)
    with pytest.raises(AskedToStop), running:
        for _ in running.watch():
            os.kill(os.getpid(), how)
    assert signal.getsignal(how) is before


def test_the_deaf_are_killed_together_with_their_children(
    running: Running, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(supervisor, "ENDS_WITHIN_S", 0.2)
    deaf = (
        "import os, signal, subprocess, sys, time\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])\n"
        "print(os.getpid(), child.pid)\n"
        "time.sleep(60)\n"
    )
    log = tmp_path / "logs" / "deaf.log"
    with running:
        running.start(python("deaf", deaf))
        for _ in running.watch():
            if log.read_text():
                break
        pids = [int(pid) for pid in log.read_text().split()]
        assert len(pids) == 2
        assert all(is_alive(pid) for pid in pids)
    assert not any(is_alive(pid) for pid in pids)
