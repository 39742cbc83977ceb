from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.observability.logs import reader as reader_module
from app.observability.logs.files import Position, PositionGone
from app.observability.logs.handlers import JsonLines
from app.observability.logs.reader import BLOCK_BYTES, LogFilter, LogReader, blocks_backwards
from tests.support.log_lines import BEGAN_AT, make_line, numbers, write, write_log

EVERYTHING = LogFilter()


def pages(reader: LogReader, wanted: LogFilter, limit: int) -> Iterator[list[bytes]]:
    """Every page from the newest to the oldest."""
    before: Position | None = None
    while True:
        page = reader.page(wanted, limit, before)
        yield page.lines
        if page.older is None:
            return
        before = Position.from_text(page.older.as_text())


def test_no_log_is_an_empty_page(reader: LogReader, path: Path) -> None:
    assert reader.page(EVERYTHING, 10).lines == []
    path.touch()
    page = reader.page(EVERYTHING, 10)
    assert (page.lines, page.older, page.scanned_bytes) == ([], None, 0)


def test_the_last_lines_come_oldest_first_and_as_they_were_written(reader: LogReader, path: Path) -> None:
    written = [make_line(number) for number in range(300)]
    write(path, *written)
    page = reader.page(EVERYTHING, 100)
    assert page.lines == written[200:]
    assert page.older is not None


def test_the_pages_together_are_the_log(reader: LogReader, path: Path) -> None:
    for name, range_ in (
        ("app.jsonl.2", range(70)),
        ("app.jsonl.1", range(70, 90)),
        ("app.jsonl", range(90, 211)),
    ):
        write(path.with_name(name), *(make_line(number) for number in range_))
    found = [numbers(page) for page in pages(reader, EVERYTHING, 20)]
    assert [number for page in reversed(found) for number in page] == list(range(211))
    assert max(len(page) for page in found) == 20


def test_a_page_that_ends_where_a_file_begins_leads_to_the_file_before(reader: LogReader, path: Path) -> None:
    write(path.with_name("app.jsonl.1"), make_line(0))
    write(path, make_line(1))
    assert [numbers(page) for page in pages(reader, EVERYTHING, 1)] == [[1], [0]]


def test_a_cursor_survives_a_rotation(reader: LogReader, path: Path) -> None:
    write(path, *(make_line(number) for number in range(10)))
    older = reader.page(EVERYTHING, 4).older
    path.rename(path.with_name("app.jsonl.1"))
    write(path, make_line(10))
    assert numbers(reader.page(EVERYTHING, 4, older).lines) == [2, 3, 4, 5]


def test_a_cursor_whose_file_is_gone_says_so(reader: LogReader, path: Path) -> None:
    write(path, *(make_line(number) for number in range(10)))
    older = reader.page(EVERYTHING, 4).older
    path.unlink()
    write(path, make_line(10))  # often with the same inode
    with pytest.raises(PositionGone):
        reader.page(EVERYTHING, 4, older)


@pytest.mark.parametrize("text", ["", "x", "ção", "MTox", "eA==", "LTE6LTE", "A" * 200])
def test_what_is_no_cursor_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        Position.from_text(text)


@pytest.mark.parametrize(
    "foreign",
    [
        b"",
        b"text",
        b"[1]",
        b"{",
        b"null",
        b'{"a": NaN}',
        b"\xff\xfe{}",
        b"\x00" * 50,
        b'{"event": "\xe2\x80"}',
    ],
)
def test_lines_that_are_no_json_objects_are_skipped(reader: LogReader, path: Path, foreign: bytes) -> None:
    write(path, make_line(0), foreign, make_line(1), foreign)
    assert numbers(reader.page(EVERYTHING, 10).lines) == [0, 1]


def test_a_line_that_is_not_written_to_its_end_is_skipped(reader: LogReader, path: Path) -> None:
    write(path, make_line(0))
    with path.open("ab") as file:
        file.write(make_line(1))
    assert numbers(reader.page(EVERYTHING, 10).lines) == [0]


def test_a_line_of_many_megabytes_is_passed_by_with_little_memory(reader: LogReader, path: Path) -> None:
    write(path, make_line(0), b'{"event": "' + b"x" * 5_000_000 + b'"}', make_line(1))
    assert numbers(reader.page(EVERYTHING, 10).lines) == [0, 1]
    descriptor = os.open(path, os.O_RDONLY)
    largest = max(len(text) for _, text in blocks_backwards(descriptor, path.stat().st_size))
    os.close(descriptor)
    assert largest < 1_000


@given(
    st.lists(st.binary(max_size=50).map(lambda line: line.replace(b"\n", b"")), max_size=30), st.booleans()
)
@settings(max_examples=100, deadline=None)
def test_lines_read_backwards_are_the_lines_whatever_the_blocks(
    tmp_path_factory: pytest.TempPathFactory, lines: list[bytes], torn: bool
) -> None:
    path = tmp_path_factory.mktemp("log") / "log"
    content = b"".join(line + b"\n" for line in lines) + (b"torn" if torn else b"")
    path.write_bytes(content)
    descriptor = os.open(path, os.O_RDONLY)
    with pytest.MonkeyPatch.context() as small:
        small.setattr(reader_module, "BLOCK_BYTES", 7)
        found = list(blocks_backwards(descriptor, len(content)))
    os.close(descriptor)
    read = [line for _, text in reversed(found) for line in text.split(b"\n") if line]
    assert read == [line for line in lines if line]
    assert all(content[offset:].startswith(text) for offset, text in found)


def count_reads(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The sizes of all reads from now on."""
    sizes: list[int] = []
    pread = os.pread

    def counted(descriptor: int, size: int, offset: int) -> bytes:
        sizes.append(size)
        return pread(descriptor, size, offset)

    monkeypatch.setattr(os, "pread", counted)
    return sizes


def test_the_end_of_a_large_log_is_read_and_no_more(
    reader: LogReader, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_log(path, 50_000_000)
    sizes = count_reads(monkeypatch)
    page = reader.page(EVERYTHING, 100)
    assert numbers(page.lines) == list(range(900, 1_000))
    assert sum(sizes) <= 2 * BLOCK_BYTES


def test_a_filter_that_matches_nothing_stops_and_says_where(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    size = write_log(path, 3_000_000)
    reader = LogReader(path, files=5, max_scanned_bytes=1_000_000)
    nothing = LogFilter(text="nowhere")
    sizes = count_reads(monkeypatch)
    page = reader.page(nothing, 10)
    assert page.lines == []
    assert 1_000_000 <= page.scanned_bytes <= 1_000_000 + 2 * BLOCK_BYTES
    assert sum(sizes) <= 1_000_000 + 3 * BLOCK_BYTES
    scanned, more = page.scanned_bytes, 1
    while page.older is not None:
        page = reader.page(nothing, 10, page.older)
        scanned, more = scanned + page.scanned_bytes, more + 1
    assert scanned == size
    assert more == 4


def test_a_file_without_any_line_end_is_bounded_too(path: Path) -> None:
    path.write_bytes(b"x" * 3_000_000)
    reader = LogReader(path, files=5, max_scanned_bytes=1_000_000)
    assert len(list(pages(reader, EVERYTHING, 10))) == 3


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ({"level": "ERROR"}, [1]),
        ({"status": "404"}, [2]),
        ({"status": "4xx"}, [2, 3]),
        ({"status": "5xx"}, [1]),
        ({"route": "/health"}, [5]),
        ({"user_id": 7}, [3]),
        ({"request_id": f"{6:032x}"}, [6]),
        ({"text": "scrape"}, [4]),
        ({"text": "/books/6"}, [6]),
        ({"text": ".*"}, []),
        ({"text": "ação"}, [7]),
        ({"text": 'a"b'}, [8]),
        ({"text": "ORDER-7Q"}, [8]),
        ({"text": "maria"}, [7]),
        ({"text": f"{6:032x}"}, [6]),
        ({"text": "user_id"}, []),
        ({"since": BEGAN_AT + timedelta(seconds=7)}, [7, 8]),
        ({"until": BEGAN_AT + timedelta(seconds=2)}, [0, 1]),
        ({"since": BEGAN_AT + timedelta(seconds=2), "until": BEGAN_AT + timedelta(seconds=4)}, [2, 3]),
        ({"status": "4xx", "user_id": 7, "route": "/orders", "text": "request"}, [3]),
        ({"status": "4xx", "user_id": 8}, []),
        ({"since": BEGAN_AT + timedelta(seconds=2), "status": "4xx"}, [2, 3]),
    ],
)
def test_filters_are_exact_and_combine(
    reader: LogReader, path: Path, wanted: dict[str, Any], expected: list[int]
) -> None:
    write(
        path,
        make_line(0),
        make_line(1, level="ERROR", status=500),
        make_line(2, status=404),
        make_line(3, status=401, user_id=7, route="/orders"),
        make_line(4, event="scrape_ended", status="done"),
        make_line(5, route="/health"),
        make_line(6),
        make_line(7, event="ação", username="maria"),
        make_line(8, event='a"b', order_id="ORDER-7Q3EXA…"),
    )
    assert numbers(reader.page(LogFilter(**wanted), 100).lines) == expected


@pytest.mark.parametrize(
    "wanted",
    [
        LogFilter(status="500"),
        LogFilter(status="5xx"),
        LogFilter(user_id=77),
        LogFilter(level="ERROR"),
        LogFilter(text="não"),
        LogFilter(text='"quoted"'),
        LogFilter(status="5xx", since=BEGAN_AT),
        LogFilter(status="5xx", until=BEGAN_AT + timedelta(days=1)),
        LogFilter(until=BEGAN_AT + timedelta(seconds=1)),
    ],
)
def test_to_find_the_one_line_that_is_wanted_few_are_parsed(
    reader: LogReader, path: Path, wanted: LogFilter, monkeypatch: pytest.MonkeyPatch
) -> None:
    rare = make_line(0, level="ERROR", status=500, user_id=77, reason='não "quoted"')
    write(path, rare, *(make_line(number) for number in range(1, 10_000)))
    parsed, parse = [], reader_module.parse
    monkeypatch.setattr(reader_module, "parse", lambda line: parsed.append(1) or parse(line))
    assert reader.page(wanted, 10).lines == [rare]
    assert len(parsed) < 500


def test_what_a_terminal_would_not_show_is_found_as_it_was_sent(reader: LogReader, path: Path) -> None:
    line = JsonLines().format(logging.makeLogRecord({"msg": "happened", "reason": "a\u2028b"}))
    write(path, line.encode())
    assert reader.page(LogFilter(text="a\u2028b"), 10).lines == [line.encode()]


def test_a_search_by_time_ends_where_its_time_begins(reader: LogReader, path: Path) -> None:
    write(path, *(make_line(number) for number in range(10_000)))
    page = reader.page(LogFilter(since=BEGAN_AT + timedelta(seconds=9_990), text="nowhere"), 10)
    assert page.older is None
    assert page.scanned_bytes <= BLOCK_BYTES


def test_a_line_a_little_out_of_order_is_still_found(reader: LogReader, path: Path) -> None:
    write(path, make_line(100), make_line(70), make_line(101))
    assert numbers(reader.page(LogFilter(since=BEGAN_AT + timedelta(seconds=90)), 10).lines) == [100, 101]
