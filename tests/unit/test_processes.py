from __future__ import annotations

import os
import socket
import subprocess
import sys

from app.processes import is_known_dead, own_identity


def test_a_process_knows_itself_as_alive() -> None:
    assert own_identity() == own_identity()
    assert not is_known_dead(own_identity())


def test_a_former_process_with_our_pid_is_dead() -> None:
    host, pid, token = own_identity().rsplit(":", 2)
    assert is_known_dead(f"{host}:{pid}:{token[::-1]}x")


def test_a_process_that_has_ended_is_dead() -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        process.wait()
    assert is_known_dead(f"{socket.gethostname()}:{process.pid}:0")


def test_a_process_that_runs_is_not_surely_dead() -> None:
    assert not is_known_dead(f"{socket.gethostname()}:{os.getppid()}:0")


def test_nothing_is_known_of_another_machine() -> None:
    assert not is_known_dead("another.machine:1:0")


def test_a_host_name_may_hold_colons() -> None:
    assert not is_known_dead("fe80::1:1:0")
