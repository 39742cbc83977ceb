from __future__ import annotations

import io
import json
import logging
import os
import sys
from pathlib import Path

import pytest

from app.observability.logs.handlers import configure_logging
from app.observability.logs.writer import LogWriter


def lines_of(path: Path) -> list[bytes]:
    return path.read_bytes().splitlines()


def test_a_full_file_is_rotated_and_the_oldest_removed(tmp_path: Path) -> None:
    path = tmp_path / "logs" / "app.jsonl"
    writer = LogWriter(path, max_bytes=30, files=3)
    for number in range(10):
        writer.write(b"line number %03d\n" % number)
    writer.close()
    names = sorted(file.name for file in path.parent.iterdir())
    assert names == ["app.jsonl", "app.jsonl.1", "app.jsonl.2", "app.jsonl.lock"]
    lines = [line for name in names[2::-1] for line in lines_of(path.with_name(name))]
    assert lines == [b"line number 007", b"line number 008", b"line number 009"]
    assert writer.lines_lost == 0


def test_a_line_longer_than_the_limit_is_written_all_the_same(path: Path) -> None:
    writer = LogWriter(path, max_bytes=10, files=2)
    writer.write(b"x" * 50 + b"\n")
    writer.close()
    assert lines_of(path) == [b"x" * 50]


def test_a_writer_follows_a_file_that_others_rotated_or_removed(writer: LogWriter, path: Path) -> None:
    writer.write(b"1\n")
    path.rename(path.with_name("app.jsonl.1"))
    writer.write(b"2\n")
    assert lines_of(path) == [b"2"]
    path.unlink()
    writer.write(b"3\n")
    assert lines_of(path) == [b"3"]


def test_the_log_is_for_the_shops_user_alone(writer: LogWriter, path: Path) -> None:
    writer.write(b"1\n")
    assert path.stat().st_mode & 0o077 == 0


def make_unwritable(path: Path, how: str) -> None:
    if how == "a full disk":
        path.symlink_to("/dev/full")
    elif how == "a folder in its place":
        path.mkdir()
    else:
        path.parent.rmdir()
        path.parent.write_text("a file in the folder's place")


@pytest.mark.parametrize("how", ["a full disk", "a folder in its place", "a file in the folder's place"])
def test_lines_that_cannot_be_written_are_counted_and_warned_of_once_a_minute(
    tmp_path: Path, how: str, shop_log: logging.Logger, monkeypatch: pytest.MonkeyPatch
) -> None:
    console, losses = io.StringIO(), []
    monkeypatch.setattr(sys, "stderr", console)
    path = tmp_path / "logs" / "app.jsonl"
    path.parent.mkdir()
    make_unwritable(path, how)
    writer = LogWriter(path, max_bytes=1_000, files=2, on_lost=lambda: losses.append(1))
    configure_logging("INFO", readable=False, writer=writer)
    for number in range(20):
        shop_log.info("happened", extra={"run_id": number})
    writer.close()
    messages = [json.loads(line)["message"] for line in console.getvalue().splitlines()]
    assert writer.lines_lost == len(losses) == 20
    assert messages.count("happened") == 20
    assert messages.count("log_lines_lost") == 1


def test_lines_are_written_again_when_the_trouble_is_over(writer: LogWriter, path: Path) -> None:
    path.symlink_to("/dev/full")
    writer.write(b"1\n")
    path.unlink()
    writer.write(b"2\n")
    assert writer.lines_lost == 1
    assert b"2" in lines_of(path)


def test_a_line_after_one_that_was_cut_short_is_whole(
    writer: LogWriter, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = os.write
    with monkeypatch.context() as nearly_full:
        nearly_full.setattr(os, "write", lambda descriptor, line: write(descriptor, line[:3]))
        writer.write(b"first\n")
    writer.write(b"second\n")
    assert lines_of(path) == [b"fir", b"second"]
    assert writer.lines_lost == 1


def test_a_log_that_cannot_be_rotated_goes_on(path: Path) -> None:
    path.with_name("app.jsonl.1").mkdir()  # no file can take this name
    writer = LogWriter(path, max_bytes=10, files=2)
    for number in range(5):
        writer.write(b"line %d\n" % number)
    writer.close()
    assert len(lines_of(path)) == 5
    assert writer.lines_lost == 0
