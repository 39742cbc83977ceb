"""Scrapes on PostgreSQL, where orders, cancellations and publications wait for rows rather than for turns."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import create_engine, text

from app.services.catalogue import publish_crawl
from app.shop import Shop
from app.start import prepare
from demo.site.books import DemoBook
from demo.site.server import DemoSite
from tests.support.books import LIMITS, make_crawl, make_scraped
from tests.support.orders import place
from tests.support.scraping_client import ScrapingClient

MOST_BOOKS = 25_000
"""`CrawlOptions.max_pages` lets no shop have more."""
ORDERS_WAIT_AT_MOST_S = 5.0
"""Half of what an order waits for another's write before it gives up."""


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        threading.Event().wait(0.02)


def test_a_cancellation_during_the_publication_is_refused_and_not_accepted_in_vain(
    make_app: Callable[..., Flask], database_url: str, open_site: Callable[..., DemoSite]
) -> None:
    site = open_site()
    app = make_app(database_url=database_url, scraper_base_url=site.base_url)
    prepare(app)
    client = ScrapingClient(app)
    assert client.scrape()["status"] == "done"
    site.replace_books([*site.pages.books[1:]])
    engine = create_engine(database_url)
    refused: list[int] = []

    def cancel() -> None:
        response = app.test_client().post("/api/v1/scraping/cancel", headers=client.header)
        refused.append(response.status_code)

    with engine.connect() as other:
        other.execute(text("UPDATE livros SET titulo = titulo WHERE id = 5"))
        assert client.trigger() == 202
        with engine.connect() as observer:
            wait_until(lambda: waiting(observer) == 1)  # the publication, for the row
            cancelling = threading.Thread(target=cancel)
            cancelling.start()
            wait_until(lambda: waiting(observer) == 2)  # the cancellation, for the publication
        other.rollback()
    cancelling.join(20)
    engine.dispose()
    run = client.finish()
    assert (run["status"], run["cancelada_por"], refused) == ("done", None, [409])


def waiting(observer: Any) -> int:
    """Count the transactions that wait for a lock."""
    count = observer.execute(
        text(
            "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
        )
    ).scalar()
    observer.rollback()
    return int(count)


def test_a_value_beyond_what_an_index_holds_stops_one_page_and_not_the_scrapes(
    make_app: Callable[..., Flask],
    database_url: str,
    open_site: Callable[..., DemoSite],
    books: tuple[DemoBook, ...],
) -> None:
    letters = "".join(random.Random(9).choices("abcdefghijklmnopqrstuvwxyz", k=9_000))
    site = open_site()
    site.replace_books([replace(books[0], upc=letters), *books[1:]])
    app = make_app(database_url=database_url, scraper_base_url=site.base_url)
    prepare(app)
    client = ScrapingClient(app)
    run = client.scrape()
    assert (run["status"], run["paginas_com_falha"]) == ("done", 1)
    assert "UPC com mais de 64 caracteres" in run["falhas"][0]["motivo"]
    site.replace_books(books)
    run = client.scrape()
    assert (run["status"], run["paginas_reaproveitadas"], run["livros_lidos"]) == ("done", 0, 100)


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_an_order_waits_a_bounded_time_for_the_largest_publication(
    make_app: Callable[..., Flask], kind: str, request: pytest.FixtureRequest
) -> None:
    url = request.getfixturevalue("database_url") if kind == "postgresql" else ""
    app = make_app(database_url=url)
    prepare(app)
    shop: Shop = app.extensions["shop"]
    crawls = [
        make_crawl(*(make_scraped(str(n), price=price, description="d" * 1_000) for n in range(MOST_BOOKS)))
        for price in ("10.00", "11.00")
    ]
    with shop.database.writing() as session:
        publish_crawl(session, crawls[0], LIMITS, "https://shop.invalid/")
    shop.catalogue.refresh()
    publishing = threading.Event()

    def publish() -> None:
        with shop.database.writing() as session:
            publishing.set()
            publish_crawl(session, crawls[1], LIMITS, "https://shop.invalid/")

    publication = threading.Thread(target=publish)
    publication.start()
    assert publishing.wait(20)
    began = time.monotonic()
    response = place(app.test_client(), (7, 1))
    waited = time.monotonic() - began
    publication.join(60)
    assert response.status_code == 201
    assert waited < ORDERS_WAIT_AT_MOST_S
