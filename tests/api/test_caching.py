from __future__ import annotations

import gzip
import json
from dataclasses import replace

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.web.endpoint import operation_of
from tests.api.conftest import SIX_BOOKS, publish
from tests.support.checks import problem_of

BOOKS = "/api/v1/books"
GZIP = {"Accept-Encoding": "gzip, deflate"}


def versioned_paths(app: Flask) -> list[str]:
    paths = []
    for rule in app.url_map.iter_rules():
        declared = operation_of(app.view_functions[rule.endpoint])
        if declared is not None and declared.versioned:
            query = "?min=0&max=99" if rule.rule.endswith("price-range") else ""
            paths.append(rule.rule.replace("<int:book_idx>", "0") + query)
    return paths


def test_every_response_about_the_catalogue_is_sent_once_a_version(reader: FlaskClient) -> None:
    paths = versioned_paths(reader.application)
    assert len(paths) >= 8
    for path in paths:
        first = reader.get(path)
        assert first.status_code == 200, path
        assert first.headers["ETag"].startswith('W/"')
        assert first.headers["Cache-Control"] == "no-cache"
        again = reader.get(path, headers={"If-None-Match": first.headers["ETag"]})
        assert (again.status_code, again.data) == (304, b""), path
        assert again.headers["ETag"] == first.headers["ETag"]


@pytest.mark.parametrize("header", ["*", '"x", {tag}', "{strong}"])
def test_other_ways_to_name_the_version_are_understood(reader: FlaskClient, header: str) -> None:
    tag = reader.get(BOOKS).headers["ETag"]
    condition = header.format(tag=tag, strong=tag.removeprefix("W/"))
    assert reader.get(BOOKS, headers={"If-None-Match": condition}).status_code == 304


@pytest.mark.parametrize("header", ['"x"', "garbage", 'W/"1-0"', ""])
def test_another_version_gets_the_whole_response(reader: FlaskClient, header: str) -> None:
    assert len(reader.get(BOOKS, headers={"If-None-Match": header}).get_json()) == 6


@pytest.mark.parametrize(
    "header", ["If-Match", "Range", "If-Range", "If-Modified-Since", "If-Unmodified-Since"]
)
@pytest.mark.parametrize("value", ['"x"', "bytes=0-1", "Thu, 01 Jan 1970 00:00:00 GMT"])
def test_conditions_that_are_not_offered_do_no_harm(reader: FlaskClient, header: str, value: str) -> None:
    response = reader.get(f"{BOOKS}/0", headers={header: value})
    if response.status_code == 412:
        problem_of(response, 412)
    else:
        assert response.get_json()["id"] == 0


def test_a_publication_changes_the_tag(app: Flask, client: FlaskClient) -> None:
    before = client.get(f"{BOOKS}/0").headers["ETag"]
    publish(app, SIX_BOOKS)
    after = client.get(f"{BOOKS}/0", headers={"If-None-Match": before})
    assert after.status_code == 200
    assert after.headers["ETag"] != before
    assert after.get_json()["titulo"] == "A Light in the Attic"
    publish(app, [replace(SIX_BOOKS[0], stock=1), *SIX_BOOKS[1:]])
    assert client.get(f"{BOOKS}/0").headers["ETag"] not in (before, after.headers["ETag"])


@pytest.mark.parametrize("path", [f"{BOOKS}/888", f"{BOOKS}?page=0", "/nowhere"])
def test_errors_have_no_tag_even_where_any_would_do(reader: FlaskClient, path: str) -> None:
    response = reader.get(path, headers={"If-None-Match": "*"})
    assert response.status_code in (400, 404)
    problem_of(response, response.status_code)


def test_a_large_answer_travels_compressed_where_the_client_accepts_it(client: FlaskClient) -> None:
    plain = client.get(BOOKS)
    packed = client.get(BOOKS, headers=GZIP)
    assert "Content-Encoding" not in plain.headers
    assert packed.headers["Content-Encoding"] == "gzip"
    assert int(packed.headers["Content-Length"]) == len(packed.data) < len(plain.data) / 3
    assert json.loads(gzip.decompress(packed.data)) == plain.get_json()
    assert packed.headers["ETag"] == plain.headers["ETag"]


@pytest.mark.parametrize(
    ("accepted", "compressed"),
    [
        ("gzip", True),
        ("*", True),
        ("br, gzip;q=0.1", True),
        ("gzip;q=0", False),
        ("gzip;q=0, *", False),
        ("*;q=0", False),
        ("br", False),
        ("identity", False),
        ("", False),
    ],
)
def test_the_client_decides_about_compression(client: FlaskClient, accepted: str, compressed: bool) -> None:
    response = client.get(BOOKS, headers={"Accept-Encoding": accepted})
    assert response.status_code == 200
    assert ("Content-Encoding" in response.headers) is compressed
    assert "Accept-Encoding" in response.headers["Vary"]


def test_a_small_answer_is_not_worth_compressing(reader: FlaskClient) -> None:
    response = reader.get(f"{BOOKS}/0", headers=GZIP)
    assert "Content-Encoding" not in response.headers
    assert "Accept-Encoding" in response.headers["Vary"]


def test_an_unchanged_answer_is_empty_for_a_client_that_accepts_gzip(client: FlaskClient) -> None:
    tag = client.get(BOOKS, headers=GZIP).headers["ETag"]
    again = client.get(BOOKS, headers={**GZIP, "If-None-Match": tag})
    assert (again.status_code, again.data) == (304, b"")
    assert "Content-Encoding" not in again.headers
    assert "Accept-Encoding" in again.headers["Vary"]


@pytest.mark.parametrize("path", [BOOKS, f"{BOOKS}/0", f"{BOOKS}/888", "/", "/health", "/nowhere"])
@pytest.mark.parametrize("headers", [{}, GZIP])
def test_head_answers_what_get_does_without_the_body(
    reader: FlaskClient, path: str, headers: dict[str, str]
) -> None:
    head, got = reader.head(path, headers=headers), reader.get(path, headers=headers)
    assert (head.status_code, head.data) == (got.status_code, b"")
    changing = {"X-Request-ID"}
    assert {k: v for k, v in head.headers if k not in changing} == {
        k: v for k, v in got.headers if k not in changing
    }
