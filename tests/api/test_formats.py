"""Lists as CSV and NDJSON."""

from __future__ import annotations

import csv
import gzip
import io
import json
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.web.endpoint import operation_of
from app.web.formats import FormatQuery
from tests.api.conftest import publish
from tests.support.books import make_scraped
from tests.support.checks import problem_of
from tests.support.orders import place_order

BOOKS = "/api/v1/books"
TRAINING = "/api/v1/ml/training-data"
LISTS = (
    BOOKS,
    f"{BOOKS}?sort=titulo&order=desc&page=2&per_page=2",
    f"{BOOKS}?page=9",
    f"{BOOKS}/search?titulo=a",
    f"{BOOKS}/search?titulo=nada+disto",
    f"{BOOKS}/search?titulo=A+Ligth+in+the+Atic",
    TRAINING,
    f"{TRAINING}?divisao=teste&fracao=0.5&semente=1",
    "/api/v1/ml/features",
    "/api/v1/changes?limit=3",
)
CSV, NDJSON = {"Accept": "text/csv"}, {"Accept": "application/x-ndjson"}
each_list = pytest.mark.parametrize("path", LISTS)


def with_format(path: str, output: str) -> str:
    return f"{path}{'&' if '?' in path else '?'}formato={output}"


def as_texts(items: list[dict[str, Any]]) -> list[dict[str, str]]:
    """Return the values as CSV has them, without the empty ones."""
    values = [{key: value for key, value in item.items() if value is not None} for item in items]
    return [{key: "true" if value is True else str(value) for key, value in item.items()} for item in values]


@each_list
def test_every_format_holds_the_same(reader: FlaskClient, path: str) -> None:
    items = reader.get(path).get_json()
    table = reader.get(path, headers=CSV)
    assert table.content_type == "text/csv; charset=utf-8"
    rows = csv.DictReader(io.StringIO(table.text, newline=""))
    assert [{key: value for key, value in row.items() if value} for row in rows] == as_texts(items)
    assert table.text.count("\r\n") == len(items) + 1
    lines = reader.get(path, headers=NDJSON)
    assert lines.content_type == "application/x-ndjson"
    assert [json.loads(line) for line in lines.text.splitlines()] == items


@each_list
def test_the_parameter_wins_over_the_header_and_is_the_same_bytes(reader: FlaskClient, path: str) -> None:
    for output, accept in (("csv", CSV), ("ndjson", NDJSON), ("json", {})):
        asked = reader.get(with_format(path, output), headers=NDJSON if accept is CSV else CSV)
        assert asked.data == reader.get(path, headers=accept).data == reader.get(path, headers=accept).data
        assert "Accept" in asked.vary


@each_list
def test_each_format_has_its_own_tag_and_is_sent_once_a_version(reader: FlaskClient, path: str) -> None:
    tags = {}
    for accept in ({}, CSV, NDJSON):
        first = reader.get(path, headers=accept)
        tags[first.mimetype] = first.headers["ETag"]
        again = reader.get(path, headers={**accept, "If-None-Match": first.headers["ETag"]})
        assert (again.status_code, again.data, again.vary.as_set()) == (304, b"", first.vary.as_set())
    assert len({*tags.values()}) == 3
    assert reader.get(path, headers={**CSV, "If-None-Match": tags["application/json"]}).status_code == 200
    assert reader.get(path, headers={"If-None-Match": tags["text/csv"]}).status_code == 200


def test_a_kept_response_is_never_of_another_format(app: Flask, client: FlaskClient, six_books: None) -> None:
    expected = {
        path: client.get(path).data for path in (with_format(BOOKS, "csv"), with_format(BOOKS, "ndjson"))
    }
    client.get(BOOKS, headers=CSV)
    plain = client.get(BOOKS)
    assert plain.mimetype == "application/json"
    for _ in range(2):
        for headers in ({}, {"If-None-Match": plain.headers["ETag"]}, {"Accept-Encoding": "gzip"}):
            table = client.get(BOOKS, headers={**CSV, **headers})
            assert table.mimetype == "text/csv"
            lines = client.get(BOOKS, headers={**NDJSON, **headers})
            assert lines.mimetype == "application/x-ndjson"
            for accept in ("*/*", "text/csv;q=0.5, */*"):
                kept = client.get(BOOKS, headers={"Accept": accept, **headers})
                assert kept.mimetype in ("application/json", None), "None is 304"
                assert kept.headers["ETag"] == plain.headers["ETag"]
        unchanged = {**CSV, "If-None-Match": client.get(BOOKS, headers=CSV).headers["ETag"]}
        assert client.get(BOOKS, headers=unchanged).status_code == 304
        assert client.get(BOOKS).data == plain.data
        assert {path: client.get(path).data for path in expected} == expected


def test_a_sale_shows_in_every_format_at_once(client: FlaskClient, six_books: None) -> None:
    paths = [with_format(BOOKS, output) for output in ("json", "csv", "ndjson")]
    before = [client.get(path) for path in paths]
    place_order(client, (0, 2))
    for path, old in zip(paths, before, strict=True):
        new = client.get(path)
        assert new.data != old.data
        assert new.headers["ETag"] != old.headers["ETag"]
    assert client.get(paths[1]).text.splitlines()[1] == "0,A Light in the Attic,Poetry,51.77,51.77,3,20"


def test_a_page_says_where_it_is_as_in_json(reader: FlaskClient) -> None:
    page = f"{BOOKS}?page=2&per_page=2"
    expected = reader.get(page).headers
    negotiated = reader.get(page, headers=CSV).headers
    assert negotiated["X-Total-Count"] == "6"
    assert negotiated["Link"] == expected["Link"]
    assert (
        f'<{BOOKS}?page=3&per_page=2&formato=csv>; rel="next"'
        in reader.get(with_format(page, "csv")).headers["Link"]
    )


@pytest.mark.parametrize(
    ("path", "name"), [(BOOKS, "livros"), (f"{BOOKS}/search", "busca"), (TRAINING, "treino")]
)
def test_a_browser_saves_a_table_under_a_name(reader: FlaskClient, path: str, name: str) -> None:
    for output in ("csv", "ndjson"):
        disposition = reader.get(with_format(path, output)).headers["Content-Disposition"]
        assert disposition == f'attachment; filename="{name}.{output}"'
    assert "Content-Disposition" not in reader.get(path).headers


@pytest.mark.parametrize("output", ["csv", "ndjson"])
def test_a_table_travels_compressed_where_the_client_accepts_it(client: FlaskClient, output: str) -> None:
    plain = client.get(with_format(BOOKS, output))
    packed = client.get(with_format(BOOKS, output), headers={"Accept-Encoding": "gzip"})
    assert packed.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(packed.data) == plain.data
    assert len(packed.data) < len(plain.data) / 3


@each_list
@pytest.mark.parametrize("accept", [CSV, NDJSON])
def test_head_answers_what_get_does_without_the_body(
    reader: FlaskClient, path: str, accept: dict[str, str]
) -> None:
    head, got = reader.head(path, headers=accept), reader.get(path, headers=accept)
    assert (head.status_code, head.data) == (200, b"")
    assert {**head.headers, "X-Request-ID": ""} == {**got.headers, "X-Request-ID": ""}


@pytest.mark.parametrize("path", [f"{BOOKS}?page=0", f"{BOOKS}/888", "/nowhere", f"{TRAINING}?divisao=x"])
def test_errors_stay_problems(reader: FlaskClient, path: str) -> None:
    response = reader.get(path, headers=CSV)
    problem_of(response, response.status_code)


@pytest.mark.parametrize("output", ["CSV", "xml", "", "json,csv"])
def test_an_unknown_format_is_refused(reader: FlaskClient, output: str) -> None:
    problem = problem_of(reader.get(f"{BOOKS}?formato={output}"), 400)
    assert problem["errors"] == [{"field": "formato", "message": "deve ser um de: json, csv, ndjson"}]


@pytest.mark.parametrize(
    "path", [f"{BOOKS}/0", f"{BOOKS}/top-rated", "/api/v1/categories", "/api/v1/stats/overview"]
)
def test_what_is_no_table_stays_json(reader: FlaskClient, path: str) -> None:
    response = reader.get(path, headers=CSV)
    assert response.mimetype == "application/json"
    assert "Accept" not in response.vary
    problem_of(reader.get(f"{path}?formato=csv"), 400)


def test_titles_are_exact_even_where_a_spreadsheet_would_calculate(app: Flask, client: FlaskClient) -> None:
    titles = ["=1+1", "+55 11", "-1", "@SUM(A1)", "\tTab", 'Com "aspas", vírgula\ne linha', "NA", "007"]
    publish(app, [make_scraped(str(number), title=title) for number, title in enumerate(titles)])
    table = csv.DictReader(io.StringIO(client.get(BOOKS, headers=CSV).text, newline=""))
    assert [row["titulo"] for row in table] == titles


def test_every_table_is_declared_whole(app: Flask) -> None:
    document = app.swag.template["paths"]  # type: ignore[attr-defined]
    tables = [
        (rule.rule, declared)
        for rule in app.url_map.iter_rules()
        if (declared := operation_of(app.view_functions[rule.endpoint])) is not None and declared.table
    ]
    assert len(tables) >= 4
    for path, declared in tables:
        assert isinstance(declared.query, FormatQuery), path
        described = document[path]["get"]
        assert {"application/json", "text/csv", "application/x-ndjson"} == {
            *described["responses"]["200"]["content"]
        }
        [parameter] = [parameter for parameter in described["parameters"] if parameter["name"] == "formato"]
        assert parameter["schema"]["enum"] == ["json", "csv", "ndjson"]
