from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, cast

import pytest

from app.core.books import AS_PUBLISHED
from app.core.catalogue import Catalogue, Publication
from app.storage.catalogue_store import CatalogueStore
from app.web.response_cache import CachedResponse, ResponseCache
from app.web.versions import DependsOn, Source

PUBLICATION = Publication(1, datetime(2026, 1, 1, tzinfo=UTC), "scraping", "")


class Store:
    """The catalogue of the present moment, without books."""

    def __init__(self) -> None:
        self.snapshot = Catalogue([], PUBLICATION)

    def current(self) -> Catalogue:
        return self.snapshot


def make_cache(max_bytes: int) -> tuple[ResponseCache, Store]:
    store = Store()
    return ResponseCache(cast(CatalogueStore, store), max_bytes), store


def environ(path: str, **headers: str) -> dict[str, Any]:
    return {"PATH_INFO": path, "QUERY_STRING": "", **headers}


def add(cache: ResponseCache, path: str, body: bytes, source: Source) -> None:
    response = CachedResponse("200 OK", (), body, 200, path, path, lambda _seconds: None)
    cache.add(environ(path), source, response)


@pytest.fixture
def source() -> Source:
    return Source.of(Catalogue([], PUBLICATION), DependsOn.CATALOGUE, None)


@pytest.fixture
def past_source() -> Source:
    past = Publication(2, datetime(2026, 1, 2, tzinfo=UTC), "scraping", "", AS_PUBLISHED)
    return Source.of(Catalogue([], past), DependsOn.STOCKS, None)


def test_the_oldest_responses_make_room_for_new_ones(source: Source) -> None:
    cache, _ = make_cache(100_000)
    for number in range(100):
        add(cache, f"/{number}", b"x" * 3_000, source)
        assert cache.bytes_kept <= 100_000
    assert cache.bytes_kept > 90_000
    assert cache.find(environ("/0")) is None
    assert cache.find(environ("/99")) is not None


def test_one_response_may_not_take_all_the_room(source: Source) -> None:
    cache, _ = make_cache(100_000)
    add(cache, "/small", b"x", source)
    add(cache, "/large", b"x" * 30_000, source)
    assert cache.find(environ("/large")) is None
    assert cache.find(environ("/small")) is not None


def test_a_client_cannot_fill_the_room_with_addresses(source: Source) -> None:
    cache, _ = make_cache(100_000)
    add(cache, "/" + "x" * 1_000, b"x", source)
    assert cache.bytes_kept == 0


def test_headers_take_room_too(source: Source) -> None:
    cache, _ = make_cache(100_000)
    headers = (("Link", "x" * 20_000),)
    cache.add(
        environ("/"), source, CachedResponse("200 OK", headers, b"", 200, "/", "/", lambda _seconds: None)
    )
    assert cache.bytes_kept > 20_000


def test_no_room_keeps_nothing(source: Source) -> None:
    cache, _ = make_cache(0)
    add(cache, "/", b"", source)
    assert cache.find(environ("/")) is None


def test_a_response_that_was_made_before_a_publication_is_not_kept_after_it(source: Source) -> None:
    cache, store = make_cache(100_000)
    add(cache, "/early", b"1", source)
    store.snapshot = Catalogue([], Publication(2, datetime(2026, 1, 2, tzinfo=UTC), "scraping", ""))
    assert cache.find(environ("/early")) is None
    add(cache, "/late", b"1", source)
    assert cache.find(environ("/late")) is None


def test_a_publication_frees_the_room_of_the_one_before(source: Source) -> None:
    cache, store = make_cache(100_000)
    for number in range(10):
        add(cache, f"/{number}", b"x" * 1_000, source)
    store.snapshot = Catalogue([], Publication(2, datetime(2026, 1, 2, tzinfo=UTC), "scraping", ""))
    add(cache, "/new", b"x", Source.of(store.snapshot, DependsOn.CATALOGUE, None))
    assert cache.bytes_kept < 5_000


def test_only_a_get_without_a_body_is_found(source: Source) -> None:
    cache, _ = make_cache(100_000)
    add(cache, "/", b"x", source)
    assert cache.find(environ("/", CONTENT_LENGTH="0")) is not None
    assert cache.find(environ("/", CONTENT_LENGTH="1")) is None
    assert cache.find(environ("/", HTTP_TRANSFER_ENCODING="chunked")) is None


def test_a_catalogue_that_cannot_be_read_leaves_the_response_to_flask(
    source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache, store = make_cache(100_000)
    add(cache, "/", b"x", source)

    def fail() -> None:
        raise RuntimeError("no catalogue")

    monkeypatch.setattr(store, "current", fail)
    assert cache.find(environ("/")) is None


def test_responses_about_the_past_stay_when_another_catalogue_is_published(
    source: Source, past_source: Source
) -> None:
    cache, store = make_cache(100_000)
    add(cache, "/present", b"1", source)
    add(cache, "/past", b"2", past_source)
    store.snapshot = Catalogue([], Publication(3, datetime(2026, 1, 3, tzinfo=UTC), "scraping", ""))
    assert cache.find(environ("/present")) is None
    assert cache.find(environ("/past")) is not None
    add(cache, "/new", b"3", Source.of(store.snapshot, DependsOn.CATALOGUE, None))
    assert cache.find(environ("/past")) is not None
    assert cache.find(environ("/new")) is not None


def test_responses_about_the_past_take_a_quarter_of_the_room_and_give_way(
    source: Source, past_source: Source
) -> None:
    cache, _ = make_cache(100_000)
    for number in range(30):
        add(cache, f"/past/{number}", b"x" * 3_000, past_source)
    assert 20_000 < cache.bytes_kept <= 25_000
    for number in range(100):
        add(cache, f"/{number}", b"x" * 3_000, source)
        assert cache.bytes_kept <= 100_000
        add(cache, f"/past/{number}", b"x" * 3_000, past_source)
        assert cache.bytes_kept <= 100_000
    assert cache.find(environ("/99")) is not None
    assert sum(cache.find(environ(f"/{number}")) is not None for number in range(100)) == 19
