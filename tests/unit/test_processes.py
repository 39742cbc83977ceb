from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from app import processes
from app.processes import is_known_alive, is_known_dead, own_identity
from tests.support.orders import wait_until

SAY_IDENTITY = "from app.processes import own_identity; print(own_identity(), flush=True); input()"


@pytest.fixture
def neighbour() -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Another process on this machine, and its identity."""
    with subprocess.Popen(
        [sys.executable, "-c", SAY_IDENTITY], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        yield process, process.stdout.readline().strip()
        process.kill()


def with_parts(identity: str, **parts: str) -> str:
    names = ("place", "pid", "started_at", "token")
    return "/".join((dict(zip(names, identity.split("/"), strict=True)) | parts).values())


def test_a_process_knows_itself_as_alive() -> None:
    assert own_identity() == own_identity()
    assert not is_known_dead(own_identity())
    assert is_known_alive(own_identity())


def test_a_former_process_with_our_pid_is_dead() -> None:
    former = with_parts(own_identity(), token="0")
    assert is_known_dead(former)
    assert not is_known_alive(former)


def test_a_process_that_has_ended_is_dead(neighbour: tuple[subprocess.Popen[str], str]) -> None:
    process, identity = neighbour
    process.kill()
    assert process.wait(20)
    assert is_known_dead(identity)
    assert not is_known_alive(identity)


def test_a_process_that_runs_is_alive(neighbour: tuple[subprocess.Popen[str], str]) -> None:
    _, identity = neighbour
    assert is_known_alive(identity)
    assert not is_known_dead(identity)


def test_a_process_that_is_stopped_is_neither_alive_nor_dead(
    neighbour: tuple[subprocess.Popen[str], str],
) -> None:
    process, identity = neighbour
    process.send_signal(signal.SIGSTOP)
    wait_until(lambda: not is_known_alive(identity))
    assert not is_known_dead(identity)


def test_a_pid_that_was_given_again_does_not_bring_its_former_process_to_life(
    neighbour: tuple[subprocess.Popen[str], str],
) -> None:
    _, identity = neighbour
    former = with_parts(identity, started_at="1")
    assert is_known_dead(former)
    assert not is_known_alive(former)


@pytest.mark.parametrize(
    "identity",
    [
        "another-boot:4026531836/1/1/0",
        "",
        "x",
        "///",
        "another.machine:1:0",
        "fe80::1:1:0",
        pytest.param(f"{socket.gethostname()}:{os.getpid()}:0", id="as older releases wrote them"),
    ],
)
def test_nothing_is_known_of_another_machine_or_another_text(identity: str) -> None:
    assert not is_known_dead(identity)
    assert not is_known_alive(identity)


def test_nothing_is_known_of_a_machine_or_container_with_our_host_name() -> None:
    place = with_parts(own_identity())
    for other in (
        with_parts(place, place="0:1", pid="1"),
        with_parts(place, place=place.split("/")[0] + "1"),
    ):
        assert not is_known_dead(other)
        assert not is_known_alive(other)


def test_where_there_is_no_proc_the_pid_and_the_token_tell(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "_BOOT_ID", Path("/nowhere"))
    monkeypatch.setattr(processes, "_stat", lambda _pid: ("", ""))
    processes._own.cache_clear()
    try:
        identity = own_identity()
        assert identity.startswith(socket.gethostname())
        assert not is_known_dead(identity)
        assert is_known_dead(with_parts(identity, token="0"))
        assert not is_known_dead(with_parts(identity, pid=str(os.getppid())))
        with subprocess.Popen([sys.executable, "-c", ""]) as process:
            process.wait(20)
        assert is_known_dead(with_parts(identity, pid=str(process.pid)))
    finally:
        processes._own.cache_clear()
