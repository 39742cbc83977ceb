from __future__ import annotations

from pathlib import Path

from app.observability.logs.filter import LogFilter
from app.observability.logs.follower import TailReader
from app.observability.logs.reader import LogReader
from tests.support.log_lines import make_line, numbers, write

EVERYTHING = LogFilter()


def test_a_tail_goes_on_where_the_page_ended_and_across_rotations(reader: LogReader, path: Path) -> None:
    write(path, make_line(0))
    page = reader.page(EVERYTHING, 10)
    write(path, make_line(1))
    tail = TailReader(path, 5, page.newest)
    assert numbers(tail.read()) == [1]
    assert tail.read() == []
    write(path, make_line(2))
    path.rename(path.with_name("app.jsonl.1"))
    write(path, make_line(3))
    assert numbers(tail.read()) == [2, 3]
    write(path.with_name("app.jsonl.1"), make_line(4))  # by a process that has not noticed
    write(path, make_line(5))
    assert numbers(tail.read()) == [4, 5]


def test_a_tail_waits_for_the_end_of_a_line(path: Path) -> None:
    tail = TailReader(path, 5, None)
    with path.open("ab") as file:
        file.write(make_line(0)[:10])
        file.flush()
        assert tail.read() == []
        file.write(make_line(0)[10:] + b"\n")
        file.flush()
        assert numbers(tail.read()) == [0]


def test_a_tail_goes_on_after_its_file_was_removed(reader: LogReader, path: Path) -> None:
    write(path, make_line(0))
    tail = TailReader(path, 5, reader.page(EVERYTHING, 1).newest)
    path.unlink()
    assert tail.read() == []
    write(path, make_line(1))
    assert numbers(tail.read()) == [1]
