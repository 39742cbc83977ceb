"""Readers while catalogues are published under them."""

from __future__ import annotations

import hashlib
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from decimal import Decimal

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.core.safety_gate import Limit, Limits
from app.core.scraping import CrawlResult
from app.services.catalogue import publish_crawl
from app.shop import Shop
from app.storage.catalogue_store import CatalogueStore
from scraper.book import ScrapedBook

PUBLICATIONS = 50
READERS = 2
ANY = Limit(Decimal(1), "")
OPEN_HANDED = Limits(ANY, ANY, ANY, ANY, ANY, ANY, Decimal("99999999"), Decimal(1_000_000))


def shelf(price: int) -> CrawlResult:
    """Sixty books that all cost `price`, so that a torn catalogue shows."""
    book = ScrapedBook(
        url="", upc="", title="", category="Poetry", price_excl_tax=Decimal(price), price_incl_tax=Decimal(price),
        stock=price, rating=3, image_url="http://shop.invalid/x.jpg", description="",
    )  # fmt: skip
    crawl = CrawlResult(announced=60)
    for place in range(60):
        name = f"{place:03}"
        crawl.read[place] = replace(book, url=f"http://shop.invalid/{name}", upc=name, title=name)
    return crawl


@pytest.fixture
def eager_threads() -> Iterator[None]:
    """Let threads take turns ten times as often: busy readers make a publisher wait at every statement."""
    usual = sys.getswitchinterval()
    sys.setswitchinterval(usual / 10)
    yield
    sys.setswitchinterval(usual)


def test_readers_see_only_whole_published_catalogues(app: Flask, eager_threads: None) -> None:
    shop: Shop = app.extensions["shop"]
    app.test_client_class = (
        FlaskClient  # checking every response against the document would leave no time to read
    )
    published: set[str] = {digest(app.test_client().get("/api/v1/books").data)}
    seen: list[set[str]] = [set() for _ in range(READERS)]
    has_read = [threading.Event() for _ in range(READERS)]
    finished = threading.Event()

    def read(digests: set[str], once_more: threading.Event) -> None:
        client = app.test_client()
        while not finished.is_set():
            digests.add(digest(client.get("/api/v1/books").data))
            once_more.set()

    readers = [
        threading.Thread(target=read, args=arguments, name="reader")
        for arguments in zip(seen, has_read, strict=True)
    ]
    for reader in readers:
        reader.start()
    for price in range(1, PUBLICATIONS + 1):
        with shop.database.writing() as session:
            publish_crawl(session, shelf(price), OPEN_HANDED, "http://shop.invalid/")
        shop.catalogue.refresh()
        published.add(digest(app.test_client().get("/api/v1/books").data))
        for once_more in has_read:
            once_more.clear()
            assert once_more.wait(20), "a reader hangs"
    finished.set()
    for reader in readers:
        reader.join(30)
    assert len(published) == PUBLICATIONS + 1
    assert set.union(*seen) <= published
    assert len(set.union(*seen)) > PUBLICATIONS // 5, "the readers hardly read while it was published"
    assert shop.catalogue.current().publication.version == PUBLICATIONS + 1


def test_another_process_serves_a_publication_within_a_second(make_app: Callable[..., Flask]) -> None:
    here, there = make_app(), make_app()
    other: CatalogueStore = there.extensions["shop"].catalogue
    assert other.current().publication.version == 1
    with here.extensions["shop"].database.writing() as session:
        publish_crawl(session, shelf(5), OPEN_HANDED, "http://shop.invalid/")
    waiting = threading.Event()
    for _ in range(20):
        if other.current().publication.version == 2:
            break
        waiting.wait(0.05)
    assert other.current().publication.version == 2


def digest(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()
