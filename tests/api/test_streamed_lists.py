"""Lists that are too long to be made before they are sent."""

from __future__ import annotations

import gc
import gzip
import json
import tracemalloc
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app.core.catalogue import Catalogue
from app.shop import Shop
from app.web import rows
from tests.support.books import PUBLICATION, make_book, make_catalogue
from tests.support.checks import problem_of
from tests.support.exposition import read_samples

BOOKS = 25_000
CSV, NDJSON = "/api/v1/books?formato=csv", "/api/v1/books?formato=ndjson"
TRAINING = "/api/v1/ml/training-data"
STREAMED = (CSV, NDJSON, "/api/v1/books/search?titulo=book&formato=csv", TRAINING, f"{TRAINING}?formato=csv")
each_stream = pytest.mark.parametrize("path", STREAMED)


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return make_catalogue(*(make_book(2 * number, stock=number % 7) for number in range(BOOKS)))


@pytest.fixture
def on_sale(shop: Shop, catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch) -> Callable[[Catalogue], None]:
    """Puts a catalogue on sale, at first that of BOOKS books."""

    def publish(snapshot: Catalogue) -> None:
        monkeypatch.setattr(shop.catalogue, "current", lambda: snapshot)

    publish(catalogue)
    return publish


@pytest.fixture
def follower(app: Flask, on_sale: Callable[[Catalogue], None]) -> FlaskClient:
    """A client that doesn't wait for the end of a response."""
    app.test_client_class = FlaskClient
    return app.test_client()


def free_places(shop: Shop) -> int:
    taken = 0
    while shop.streams.acquire(blocking=False):
        taken += 1
    for _ in range(taken):
        shop.streams.release()
    return taken


@each_stream
def test_a_long_table_is_whole_and_as_long_as_announced(follower: FlaskClient, path: str) -> None:
    response = follower.get(path)
    assert response.is_streamed
    assert int(response.headers["Content-Length"]) == len(response.data)
    if response.mimetype == "application/json":
        assert len(response.get_json()) == BOOKS
    else:
        assert len(response.text.splitlines()) == BOOKS + (response.mimetype == "text/csv")
    assert "Link" not in response.headers
    packed = follower.get(path, headers={"Accept-Encoding": "gzip"})
    assert packed.headers["Content-Encoding"] == "gzip"
    assert int(packed.headers["Content-Length"]) == len(packed.data) < len(response.data) / 3
    assert gzip.decompress(packed.data) == response.data
    assert packed.vary.as_set() == response.vary.as_set() == {"accept", "accept-encoding"}


def test_the_list_in_json_still_ends_at_its_first_ten_thousand(follower: FlaskClient) -> None:
    response = follower.get("/api/v1/books")
    assert len(response.get_json()) == 10_000
    assert 'rel="next"' in response.headers["Link"]


def test_a_sale_and_a_publication_do_not_change_what_is_being_sent(
    follower: FlaskClient, on_sale: Callable[[Catalogue], None], catalogue: Catalogue
) -> None:
    expected = follower.get(CSV).data
    response = follower.get(CSV)
    parts = response.iter_encoded()
    begun = [next(parts) for _ in range(3)]
    on_sale(catalogue.with_stocks({2 * number: 99 for number in range(BOOKS)}, PUBLICATION))
    begun.append(next(parts))
    on_sale(make_catalogue(make_book(0)))
    assert b"".join([*begun, *parts]) == expected
    response.close()
    assert follower.get(CSV).text.count("\r\n") == 2


@each_stream
@pytest.mark.parametrize("encoding", ["identity", "gzip"])
def test_a_stream_takes_the_memory_of_a_part(follower: FlaskClient, path: str, encoding: str) -> None:
    length = len(follower.get(path).data)  # and makes what is kept with the publication
    gc.collect()
    tracemalloc.start()
    try:
        response = follower.get(path, headers={"Accept-Encoding": encoding})
        for _ in response.iter_encoded():
            pass
        response.close()
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 800_000 < length


def test_a_stream_is_counted_and_logged_when_it_ends_with_all_it_sent(
    follower: FlaskClient, log_lines: Callable[[], list[dict[str, Any]]]
) -> None:
    response = follower.get(CSV)
    parts = response.iter_encoded()
    sent = len(next(parts))
    assert log_lines() == []
    sent += sum(map(len, parts))
    response.close()
    response.close()
    [line] = log_lines()
    assert (line["route"], line["status"], line["bytes"]) == ("/api/v1/books", 200, sent)
    left = follower.get(NDJSON)
    sent = len(next(left.iter_encoded()))
    left.close()
    assert log_lines()[1]["bytes"] == sent
    samples = read_samples(follower.get("/metrics").text)
    counted = [
        number
        for (name, labels), number in samples.items()
        if name == "flask_http_request_total"
        and ("path", "/api/v1/books") in labels
        and ("status", "200") in labels
    ]
    assert counted == [2]


def test_few_streams_run_at_once_and_one_that_ends_makes_room(follower: FlaskClient, shop: Shop) -> None:
    places = free_places(shop)
    assert places == 4
    streams = [follower.get(CSV) for _ in range(places)]
    for path in STREAMED:
        refused = follower.get(path)
        assert refused.headers["Retry-After"]
        problem_of(refused, 503)
    assert follower.get("/api/v1/books?formato=csv&page=1").status_code == 200, "a page needs no place"
    assert follower.get(CSV, headers={"If-None-Match": streams[0].headers["ETag"]}).status_code == 304
    streams.pop().close()
    assert free_places(shop) == 1
    assert len(follower.get(CSV).data) > 0
    del streams[:]
    gc.collect()
    assert free_places(shop) == places, "those that were dropped have given theirs back"


@each_stream
def test_a_head_request_takes_no_place(follower: FlaskClient, shop: Shop, path: str) -> None:
    expected = follower.get(path).headers["Content-Length"]
    for _ in range(5):
        with follower.head(path) as response:
            assert (response.status_code, response.headers["Content-Length"]) == (200, expected)
    assert free_places(shop) == 4


def test_a_client_that_is_too_slow_gets_less_than_was_announced(
    follower: FlaskClient, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rows, "_PATIENCE_S", -1_000.0)
    response: TestResponse = follower.get(CSV)
    assert len(b"".join(response.iter_encoded())) < int(response.headers["Content-Length"])
    response.close()
    assert free_places(shop) == 4


def test_a_shop_of_one_thread_sends_long_lists_too(
    make_app: Callable[..., Flask], catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = make_app(web_threads=1)
    monkeypatch.setattr(app.extensions["shop"].catalogue, "current", lambda: catalogue)
    last = app.test_client().get(NDJSON).text.splitlines()[-1]
    assert json.loads(last)["id"] == 2 * (BOOKS - 1)
