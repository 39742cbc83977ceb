"""What differs between operating systems, with Windows' parts made up where this is another."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from granian.server.mp import MPServer

import operating_system
from app import http_server, processes, production, serve
from app.observability.logs.writer import LogWriter
from app.settings import InvalidSettings
from tests.support.shop import make_settings

LOCK_IN_ANOTHER = "import os, sys, operating_system as s; s.lock(os.open(sys.argv[1], os.O_RDWR))"


@pytest.fixture
def descriptor(tmp_path: Path) -> Iterator[int]:
    descriptor = os.open(tmp_path / "file", os.O_RDWR | os.O_CREAT)
    os.write(descriptor, b"content")
    yield descriptor
    os.close(descriptor)


@pytest.mark.skipif(not operating_system.HAS_LOCKS, reason="needs locks between processes")
def test_a_locked_file_is_locked_for_other_processes(descriptor: int, tmp_path: Path) -> None:
    def lock_in_another() -> str:
        command = [sys.executable, "-c", LOCK_IN_ANOTHER, str(tmp_path / "file")]
        return subprocess.run(command, capture_output=True, text=True, timeout=60).stderr

    assert lock_in_another() == ""
    operating_system.lock(descriptor)
    assert "BlockingIOError" in lock_in_another()


def windows_locks(*, taken: bool) -> tuple[Any, list[int]]:
    """Return a module like `msvcrt`, and the bytes that were locked by it."""
    locked: list[int] = []

    def locking(descriptor: int, _mode: int, size: int) -> None:
        assert size == 1
        if taken:
            raise PermissionError(errno.EACCES, "Permission denied")
        locked.append(os.lseek(descriptor, 0, os.SEEK_CUR))

    return SimpleNamespace(locking=locking, LK_NBLCK=2), locked


def test_windows_locks_a_byte_that_holds_no_content(descriptor: int, monkeypatch: pytest.MonkeyPatch) -> None:
    msvcrt, locked = windows_locks(taken=False)
    monkeypatch.setattr(operating_system, "fcntl", None)
    monkeypatch.setattr(operating_system, "msvcrt", msvcrt)
    os.lseek(descriptor, 3, os.SEEK_SET)
    operating_system.lock(descriptor)
    assert locked == [2**30]
    assert os.read(descriptor, 10) == b"tent", "reading goes on where it was"


def test_a_lock_that_another_process_has_is_one_error_everywhere(
    descriptor: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(operating_system, "fcntl", None)
    monkeypatch.setattr(operating_system, "msvcrt", windows_locks(taken=True)[0])
    with pytest.raises(BlockingIOError):
        operating_system.lock(descriptor)


def test_a_part_of_a_file_is_read_without_pread_too(descriptor: int, monkeypatch: pytest.MonkeyPatch) -> None:
    assert operating_system.read_at(descriptor, 3, 2) == b"nte"
    monkeypatch.delattr(os, "pread", raising=False)
    assert operating_system.read_at(descriptor, 3, 2) == b"nte"


def test_on_windows_a_process_is_not_asked_by_a_signal(monkeypatch: pytest.MonkeyPatch) -> None:
    def send(_pid: int, _signal: int) -> None:
        raise AssertionError("signal 0 is Ctrl-C there")

    monkeypatch.setattr(os, "kill", send)
    monkeypatch.setattr(processes, "WINDOWS", True)
    assert not processes.has_ended(1)


def test_on_windows_several_workers_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serve, "WINDOWS", True)
    monkeypatch.setattr(serve, "_port_problems", lambda *_: [])
    serve._check_machine(make_settings(tmp_path))
    with pytest.raises(InvalidSettings, match="WEB_WORKERS deve ser 1 no Windows"):
        serve._check_machine(make_settings(tmp_path, web_workers=2))


def test_on_windows_the_modes_of_files_mean_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".jwt_secret").touch(0o666)
    assert production.exposed_files(None, {}, tmp_path)
    monkeypatch.setattr(production, "WINDOWS", True)
    assert production.exposed_files(None, {}, tmp_path) == []


def test_on_windows_the_end_of_a_worker_is_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server: Any = serve._server(make_settings(tmp_path))
    waited: list[float] = []
    server.wrks = [SimpleNamespace(inner=SimpleNamespace(join=waited.append))]
    monkeypatch.setattr(http_server, "WINDOWS", True)
    monkeypatch.setattr(MPServer, "shutdown", lambda *_: None)
    server.shutdown()
    assert waited == [serve.DRAIN_S]


def test_on_windows_a_log_is_closed_before_it_is_renamed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(operating_system, "WINDOWS", True)
    path = tmp_path / "app.jsonl"
    writer = LogWriter(path, max_bytes=30, files=3)
    renamed = Path.replace

    def replace(self: Path, target: Path) -> Path:
        if self == path and writer._descriptor >= 0:
            raise PermissionError(errno.EACCES, "used by another process")
        return renamed(self, target)

    monkeypatch.setattr(Path, "replace", replace)
    for number in range(4):
        writer.write(b"line number %03d\n" % number)
    writer.close()
    assert path.read_bytes() == b"line number 003\n"
    assert (tmp_path / "app.jsonl.1").read_bytes() == b"line number 002\n"
    assert writer.lines_lost == 0


def test_a_log_that_readers_hold_is_written_to_and_loses_no_older_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(operating_system, "WINDOWS", True)
    path = tmp_path / "app.jsonl"
    (tmp_path / "app.jsonl.1").write_bytes(b"older\n")
    renamed = Path.replace

    def replace(self: Path, target: Path) -> Path:
        if self == path:
            raise PermissionError(errno.EACCES, "used by another process")
        return renamed(self, target)

    monkeypatch.setattr(Path, "replace", replace)
    writer = LogWriter(path, max_bytes=10, files=4)
    for number in range(9):
        writer.write(b"line %d\n" % number)
    writer.close()
    assert path.read_bytes().count(b"\n") == 9
    assert writer.lines_lost == 0
    assert [file.name for file in sorted(tmp_path.glob("app.jsonl.[0-9]"))] == ["app.jsonl.2"]
