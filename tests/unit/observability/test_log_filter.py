from __future__ import annotations

import logging
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from app.observability.logs import filter as filter_module
from app.observability.logs.filter import LogFilter
from app.observability.logs.formatters import JsonFormatter
from app.observability.logs.reader import BLOCK_BYTES, LogReader
from tests.support.log_lines import BEGAN_AT, make_line, numbers, write

RARE_LINE = make_line(0, levelname="ERROR", status=500, user=77, reason='não "quoted"')


@pytest.fixture(scope="module")
def long_log(tmp_path_factory: pytest.TempPathFactory) -> LogReader:
    """A log of 10,000 lines; the oldest is RARE_LINE."""
    path = tmp_path_factory.mktemp("logs") / "app.jsonl"
    write(path, RARE_LINE, *(make_line(number) for number in range(1, 10_000)))
    return LogReader(path, files=5)


@pytest.mark.parametrize(
    ("conditions", "expected"),
    [
        ({"levelname": "ERROR"}, [1]),
        ({"status": "404"}, [2]),
        ({"status": "4xx"}, [2, 3]),
        ({"status": "5xx"}, [1]),
        ({"route": "/health"}, [5]),
        ({"user": 7}, [3]),
        ({"request_id": f"{6:032x}"}, [6]),
        ({"text": "scrape"}, [4]),
        ({"text": "/books/6"}, [6]),
        ({"text": ".*"}, []),
        ({"text": "ação"}, [7]),
        ({"text": 'a"b'}, [8]),
        ({"text": "ORDER-7Q"}, [8]),
        ({"text": "maria"}, [7]),
        ({"text": f"{6:032x}"}, [6]),
        ({"text": "user"}, []),
        ({"since": BEGAN_AT + timedelta(seconds=7)}, [7, 8]),
        ({"until": BEGAN_AT + timedelta(seconds=2)}, [0, 1]),
        ({"since": BEGAN_AT + timedelta(seconds=2), "until": BEGAN_AT + timedelta(seconds=4)}, [2, 3]),
        ({"status": "4xx", "user": 7, "route": "/orders", "text": "request"}, [3]),
        ({"status": "4xx", "user": 8}, []),
        ({"since": BEGAN_AT + timedelta(seconds=2), "status": "4xx"}, [2, 3]),
    ],
)
def test_filters_are_exact_and_combine(
    reader: LogReader, path: Path, conditions: dict[str, Any], expected: list[int]
) -> None:
    write(
        path,
        make_line(0),
        make_line(1, levelname="ERROR", status=500),
        make_line(2, status=404),
        make_line(3, status=401, user=7, route="/orders"),
        make_line(4, message="scrape_ended", status="done"),
        make_line(5, route="/health"),
        make_line(6),
        make_line(7, message="ação", username="maria"),
        make_line(8, message='a"b', order_id="ORDER-7Q3EXA…"),
    )
    assert numbers(reader.page(LogFilter(**conditions), 100).lines) == expected


@pytest.mark.parametrize(
    "log_filter",
    [
        LogFilter(status="500"),
        LogFilter(status="5xx"),
        LogFilter(user=77),
        LogFilter(levelname="ERROR"),
        LogFilter(text="não"),
        LogFilter(text='"quoted"'),
        LogFilter(status="5xx", since=BEGAN_AT),
        LogFilter(status="5xx", until=BEGAN_AT + timedelta(days=1)),
        LogFilter(until=BEGAN_AT + timedelta(seconds=1)),
    ],
)
def test_few_lines_are_parsed_to_find_the_only_match(
    long_log: LogReader, log_filter: LogFilter, monkeypatch: pytest.MonkeyPatch
) -> None:
    parsed: list[bytes] = []
    parse = filter_module.parse

    def count(line: bytes) -> dict[str, Any] | None:
        parsed.append(line)
        return parse(line)

    monkeypatch.setattr(filter_module, "parse", count)
    assert long_log.page(log_filter, 10).lines == [RARE_LINE]
    assert len(parsed) < 500


def test_unprintable_text_is_found_as_it_was_sent(reader: LogReader, path: Path) -> None:
    line = JsonFormatter().format(logging.makeLogRecord({"msg": "happened", "reason": "a\u2028b"}))
    write(path, line.encode())
    assert reader.page(LogFilter(text="a\u2028b"), 10).lines == [line.encode()]


def test_a_search_by_time_ends_where_its_time_begins(long_log: LogReader) -> None:
    page = long_log.page(LogFilter(since=BEGAN_AT + timedelta(seconds=9_990), text="nowhere"), 10)
    assert page.older is None
    assert page.scanned_bytes <= BLOCK_BYTES


def test_a_line_a_little_out_of_order_is_still_found(reader: LogReader, path: Path) -> None:
    write(path, make_line(100), make_line(70), make_line(101))
    assert numbers(reader.page(LogFilter(since=BEGAN_AT + timedelta(seconds=90)), 10).lines) == [100, 101]
