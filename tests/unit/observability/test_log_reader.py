from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import operating_system
from app.observability.logs import reader as reader_module
from app.observability.logs.files import Position, PositionGone
from app.observability.logs.filter import LogFilter
from app.observability.logs.reader import BLOCK_BYTES, LogReader, blocks_backwards
from tests.support.log_lines import make_line, numbers, write, write_log

EVERYTHING = LogFilter()


def pages(reader: LogReader, log_filter: LogFilter, limit: int) -> Iterator[list[bytes]]:
    """Every page from the newest to the oldest."""
    before: Position | None = None
    while True:
        page = reader.page(log_filter, limit, before)
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
    read = [numbers(page) for page in pages(reader, EVERYTHING, 20)]
    assert [number for page in reversed(read) for number in page] == list(range(211))
    assert max(len(page) for page in read) == 20


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
def test_an_invalid_cursor_is_refused(text: str) -> None:
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
        b'{"message": "\xe2\x80"}',
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


def test_a_line_of_many_megabytes_is_skipped_with_little_memory(reader: LogReader, path: Path) -> None:
    write(path, make_line(0), b'{"message": "' + b"x" * 5_000_000 + b'"}', make_line(1))
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
        blocks = list(blocks_backwards(descriptor, len(content)))
    os.close(descriptor)
    read = [line for _, text in reversed(blocks) for line in text.split(b"\n") if line]
    assert read == [line for line in lines if line]
    assert all(content[offset:].startswith(text) for offset, text in blocks)


def count_reads(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The sizes of all reads from now on."""
    sizes: list[int] = []
    read_at = operating_system.read_at

    def counted(descriptor: int, size: int, offset: int) -> bytes:
        sizes.append(size)
        return read_at(descriptor, size, offset)

    monkeypatch.setattr(reader_module, "read_at", counted)
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
