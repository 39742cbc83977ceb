"""Which format an Accept header asks for, and what the formats make of the same items."""

from __future__ import annotations

import csv
import io
import json

import pytest

from app.web.formats import MAX_HEADER_CHARS, Format, _preferred_format, preferred_format
from app.web.responses import _accepts_gzip, accepts_gzip
from app.web.rows import Rows

BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8"
NOT_PLAIN = "accept", "", "/", ";;;", "text", "q=1", "text/csv;q=x;", "\x00"


@pytest.mark.parametrize(
    ("accept", "output"),
    [
        (None, Format.JSON),
        ("", Format.JSON),
        ("*/*", Format.JSON),
        ("application/json", Format.JSON),
        ("application/json, text/plain, */*", Format.JSON),
        (BROWSER, Format.JSON),
        ("application/*", Format.JSON),
        ("text/html", Format.JSON),
        ("text/csv;q=0", Format.JSON),
        ("text/csv, application/json", Format.JSON),
        ("text/csv;q=0.9, application/json", Format.JSON),
        ("text/csv, application/json; charset=utf-8", Format.JSON),
        ("text/csv;q=0, */*", Format.JSON),
        ("text/csv", Format.CSV),
        ("TEXT/CSV", Format.CSV),
        ("text/*", Format.CSV),
        ("text/csv; charset=utf-8", Format.CSV),
        ("text/csv;charset=UTF-8;q=0.5, application/json;q=0.4", Format.CSV),
        ("text/csv, */*;q=0.01", Format.CSV),
        ("application/json;q=0.5, text/csv", Format.CSV),
        ("application/json;q=0, text/csv;q=0.1", Format.CSV),
        ("application/x-ndjson", Format.NDJSON),
        ("application/x-ndjson;q=0.9, text/csv;q=0.8, application/json;q=0.7", Format.NDJSON),
        ("application/json;q=0, application/*", Format.NDJSON),
    ],
)
def test_the_highest_quality_wins_and_json_where_there_is_none_or_a_tie(
    accept: str | None, output: Format
) -> None:
    assert preferred_format(accept) is output


@pytest.mark.parametrize("accept", NOT_PLAIN)
def test_a_header_that_says_nothing_asks_for_json(accept: str) -> None:
    assert preferred_format(accept) in (Format.JSON, Format.CSV)
    assert preferred_format(f"{accept}, application/json") is Format.JSON


def test_a_header_longer_than_any_client_needs_is_neither_read_nor_remembered() -> None:
    kept = (_preferred_format, _accepts_gzip)
    before = [remembered.cache_info().misses for remembered in kept]
    assert preferred_format("text/csv" + " " * MAX_HEADER_CHARS) is Format.JSON
    assert not accepts_gzip("gzip" + " " * MAX_HEADER_CHARS)
    assert [remembered.cache_info().misses for remembered in kept] == before


ITEMS = [
    {"id": 1, "titulo": '=HYPERLINK("x")', "preco": 10.0, "aproximado": True},
    {"id": 2, "titulo": "Vírgula, “aspas” e\r\nlinha 😀", "preco": 0.1, "nota": None},
    {"id": 3, "titulo": "", "preco": 99999999.99, "motivos": ["a", {"b": 1}]},
]
COLUMNS = ("id", "titulo", "preco", "aproximado", "nota", "motivos")


def text(rows: Rows, output: Format) -> str:
    return b"".join(rows.body(output, COLUMNS)).decode()


def test_a_table_has_the_columns_of_its_route_and_the_values_of_the_json() -> None:
    table = text(Rows.of(ITEMS), Format.CSV)
    assert table.startswith("id,titulo,preco,aproximado,nota,motivos\r\n")
    assert [*csv.reader(io.StringIO(table, newline=""))][1:] == [
        ["1", '=HYPERLINK("x")', "10.0", "true", "", ""],
        ["2", "Vírgula, “aspas” e\r\nlinha 😀", "0.1", "", "", ""],
        ["3", "", "99999999.99", "", "", '["a",{"b":1}]'],
    ]


def test_json_and_ndjson_are_the_items() -> None:
    assert json.loads(text(Rows.of(ITEMS), Format.JSON)) == ITEMS
    lines = text(Rows.of(ITEMS), Format.NDJSON)
    assert lines.endswith("\n")
    assert [json.loads(line) for line in lines.splitlines()] == ITEMS


def test_parts_make_no_difference() -> None:
    whole = Rows.of(ITEMS)
    [part] = whole.parts()
    apart = Rows(3, lambda: [part[:1], part[1:]])
    for output in Format:
        assert text(apart, output) == text(whole, output)


@pytest.mark.parametrize(
    ("output", "expected"),
    [(Format.JSON, "[]"), (Format.NDJSON, ""), (Format.CSV, "id,titulo,preco,aproximado,nota,motivos\r\n")],
)
def test_an_empty_list_is_empty_in_every_format(output: Format, expected: str) -> None:
    assert text(Rows.of([]), output) == expected
