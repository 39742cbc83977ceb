"""The responses that are kept in front of Flask: the same as Flask's, and never older than the catalogue."""

from __future__ import annotations

import gzip
import itertools
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask, request_started
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app.web.response_cache import ResponseCache
from tests.api.conftest import SIX_BOOKS, publish
from tests.support.exposition import Samples, read_samples
from tests.support.orders import place_order, stock_of

BOOKS = "/api/v1/books"
CACHED = (
    BOOKS,
    f"{BOOKS}?page=2&per_page=2&sort=titulo&order=desc",
    f"{BOOKS}/0",
    f"{BOOKS}/0/similar?limit=5",
    f"{BOOKS}/search?titulo=a",
    f"{BOOKS}/search?titulo=nada+disto",
    f"{BOOKS}/search?titulo=velvit",
    f"{BOOKS}/facets?titulo=velvit",
    f"{BOOKS}/price-range?min=10&max=50",
    f"{BOOKS}/top-rated",
    "/api/v1/categories",
    "/api/v1/stats/overview",
    "/api/v1/stats/categories",
    "/api/v1/ml/features",
    f"{BOOKS}?formato=csv",
    f"{BOOKS}?em=2&formato=csv",
    f"{BOOKS}/0?em=2",
    f"{BOOKS}/0/history",
    "/api/v1/changes",
    "/api/v1/ml/training-data?formato=ndjson&divisao=treino",
)
REFUSED = (f"{BOOKS}/888", f"{BOOKS}?page=0", f"{BOOKS}/price-range", "/nowhere")
METHODS = ("GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE")
ENCODINGS = (None, "gzip", "br;q=1, gzip;q=0.5", "gzip;q=0, *")
CONDITIONS = (None, "{tag}", "*", '"x", {tag}', 'W/"1-0"', "garbage")
OTHERS: tuple[dict[str, str], ...] = (
    {},
    {"X-Request-ID": "0123456789abcdef0123456789abcdef"},
    {"Range": "bytes=0-1", "If-Match": '"x"', "If-Modified-Since": "Thu, 01 Jan 1970 00:00:00 GMT"},
    {"Transfer-Encoding": "chunked"},
)
COUNTED = ("api_requests_total", "flask_http_request_total", "api_errors_total")
CHANGING = ("timestamp", "duration", "request_id")

Log = Callable[[], list[dict[str, Any]]]


@pytest.fixture
def pair(make_app: Callable[..., Flask]) -> tuple[Flask, Flask]:
    """A shop that keeps responses, and one on the same data that keeps none."""
    apps = make_app(), make_app(response_cache_bytes=0)
    publish(apps[0], SIX_BOOKS)
    apps[1].extensions["shop"].catalogue.refresh()
    return apps


@pytest.fixture
def flask_requests(pair: tuple[Flask, Flask]) -> Iterator[list[str]]:
    """The paths of the requests that the first shop's Flask has run."""
    paths: list[str] = []

    def note(app: Flask, **_arguments: object) -> None:
        if app is pair[0]:
            paths.append("run")

    with request_started.connected_to(note):
        yield paths


def seen(response: TestResponse) -> tuple[int, dict[str, str], bytes]:
    """Return what a client sees, but for the id, which only this request has."""
    headers = {name: value for name, value in response.headers if name != "X-Request-ID"}
    assert len(headers) + 1 == len(response.headers), "a header was sent twice"
    return response.status_code, headers, response.data


def logged(lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{name: value for name, value in line.items() if name not in CHANGING} for line in lines]


def counts(client: FlaskClient) -> Samples:
    samples = read_samples(client.get("/metrics").get_data(as_text=True))
    return {
        key: value for key, value in samples.items() if key[0] in COUNTED or key[0].endswith("seconds_count")
    }


def header_sets(tag: str) -> Iterator[dict[str, str]]:
    for encoding, condition, others in itertools.product(ENCODINGS, CONDITIONS, OTHERS):
        headers = dict(others)
        if encoding is not None:
            headers["Accept-Encoding"] = encoding
        if condition is not None:
            headers["If-None-Match"] = condition.format(tag=tag)
        yield headers


@pytest.mark.parametrize("path", CACHED)
def test_a_kept_response_is_the_one_that_flask_makes(
    pair: tuple[Flask, Flask], log_lines: Log, flask_requests: list[str], path: str
) -> None:
    keeping, plain = (FlaskClient(app) for app in pair)
    tag = plain.get(path).headers["ETag"]
    keeping.get(path)
    before = len(log_lines())
    for headers in (*header_sets(tag), *header_sets(tag)):
        responses = [client.get(path, headers=headers) for client in (keeping, plain)]
        assert seen(responses[0]) == seen(responses[1]), headers
        offered = headers.get("X-Request-ID")
        for response in responses:
            assert len(response.headers["X-Request-ID"]) == 32
            assert offered in (None, response.headers["X-Request-ID"])
    lines = logged(log_lines()[before:])
    assert lines[::2] == lines[1::2]
    assert {line["message"] for line in lines} == {"request"}
    assert counts(keeping) == counts(plain)
    assert len(flask_requests) < len(lines) / 4, "most responses were kept ones"


@pytest.mark.parametrize("path", [*CACHED, *REFUSED])
def test_every_method_and_refusal_is_flasks(pair: tuple[Flask, Flask], log_lines: Log, path: str) -> None:
    keeping, plain = (FlaskClient(app) for app in pair)
    for method, _ in itertools.product(METHODS, range(2)):
        for headers in ({}, {"Accept-Encoding": "gzip"}, {"If-None-Match": "*"}):
            responses = [client.open(path, method=method, headers=headers) for client in (keeping, plain)]
            if responses[0].mimetype == "application/problem+json":  # its body names the request's id
                assert responses[0].status_code == responses[1].status_code
                assert [*responses[0].headers.keys()] == [*responses[1].headers.keys()]
            else:
                assert seen(responses[0]) == seen(responses[1]), (method, headers)
    lines = logged(log_lines())
    requests = [line for line in lines if line["message"] == "request"]
    assert requests[::2] == requests[1::2]
    assert counts(keeping) == counts(plain)


def test_a_body_of_a_get_is_measured_as_flask_does(pair: tuple[Flask, Flask]) -> None:
    client = FlaskClient(pair[0])
    limit = pair[0].config["MAX_CONTENT_LENGTH"]
    assert client.get(BOOKS).status_code == client.get(BOOKS, data=b"x").status_code == 200
    assert client.get(BOOKS, data=b"x" * (limit + 1)).status_code == 413


def test_a_sale_shows_at_once_and_renews_only_what_shows_it(
    pair: tuple[Flask, Flask], flask_requests: list[str]
) -> None:
    client = FlaskClient(pair[0])
    for path in (*CACHED, f"{BOOKS}/3"):
        client.get(path)
    tag = client.get(f"{BOOKS}/3").headers["ETag"]
    place_order(client, (0, 2))
    flask_requests.clear()
    assert stock_of(client, 0) == 20
    assert client.get(BOOKS).get_json()[0]["disponibilidade"] == 20
    assert client.get(f"{BOOKS}/search?titulo=light").get_json()[0]["disponibilidade"] == 20
    assert len(flask_requests) == 3
    flask_requests.clear()
    assert client.get(f"{BOOKS}/3", headers={"If-None-Match": tag}).status_code == 304
    for path in (f"{BOOKS}/3", f"{BOOKS}/top-rated", "/api/v1/categories", "/api/v1/stats/overview"):
        client.get(path)
    assert stock_of(client, 0) == 20
    assert len(flask_requests) <= 1, "only the first 304 of book 3"


def test_a_publication_renews_everything(pair: tuple[Flask, Flask]) -> None:
    client = FlaskClient(pair[0])
    for path in CACHED:
        client.get(path)
    publish(pair[0], [replace(book, title=f"{book.title} 2", category="Nova") for book in SIX_BOOKS])
    assert client.get(f"{BOOKS}/0").get_json()["titulo"] == "A Light in the Attic 2"
    assert {book["categoria"] for book in client.get(BOOKS).get_json()} == {"Nova"}
    assert client.get("/api/v1/categories").get_json() == ["Nova"]
    assert [row["categoria"] for row in client.get("/api/v1/stats/categories").get_json()] == ["Nova"]


def test_an_error_after_the_view_is_not_kept(
    pair: tuple[Flask, Flask], monkeypatch: pytest.MonkeyPatch
) -> None:
    client = FlaskClient(pair[0])
    publish(pair[0], [replace(SIX_BOOKS[0], title="Long " * 500), *SIX_BOOKS[1:]])

    def fail(*_arguments: object, **_options: object) -> bytes:
        raise MemoryError

    with monkeypatch.context() as short_of_memory:
        short_of_memory.setattr(gzip, "compress", fail)
        assert client.get(BOOKS, headers={"Accept-Encoding": "gzip"}).status_code == 500
    assert client.get(BOOKS, headers={"Accept-Encoding": "gzip"}).status_code == 200


def test_a_response_that_cannot_be_kept_is_sent_counted_and_logged(
    pair: tuple[Flask, Flask], log_lines: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = FlaskClient(pair[0])

    def fail(*_arguments: object) -> None:
        raise MemoryError

    monkeypatch.setattr(ResponseCache, "add", fail)
    assert client.get(BOOKS).status_code == 200
    assert [line["message"] for line in log_lines()] == ["response_not_kept", "request"]
    samples = read_samples(client.get("/metrics").get_data(as_text=True))
    assert samples["ecommerce_active_sessions_gauge", ()] == 1, "only the one that asks"


def test_another_process_sale_shows_within_a_second(make_app: Callable[..., Flask]) -> None:
    here, there = (FlaskClient(make_app(check_every_s=0.0)) for _ in range(2))
    before = stock_of(there, 0)
    place_order(here, (0, 1))
    assert stock_of(there, 0) == before - 1
