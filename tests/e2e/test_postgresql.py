"""The shop on PostgreSQL instead of SQLite."""

from __future__ import annotations

import threading
from collections.abc import Callable

from flask import Flask
from sqlalchemy import text

from app.processes import own_identity
from app.shop import Shop
from app.start import prepare
from demo.site.books import DemoBook
from demo.site.server import DemoSite
from tests.support.scraping_client import ScrapingClient


def test_the_shop_starts_scrapes_and_publishes_on_postgresql(
    make_app: Callable[..., Flask],
    database_url: str,
    open_site: Callable[..., DemoSite],
    books: tuple[DemoBook, ...],
) -> None:
    site = open_site(error_rate=0.05)
    app = make_app(database_url=database_url, scraper_base_url=site.base_url)
    prepare(app)
    client = ScrapingClient(app)
    assert len(client.get("/api/v1/books")) == 1000
    run = client.scrape()
    assert run["status"] == "done", run["motivo"]
    assert [book["titulo"] for book in client.get("/api/v1/books")] == [book.title for book in books]
    book = client.get("/api/v1/books/5")
    assert book["preco_com_taxa"] == float(books[5].price_incl_tax)
    assert client.scrape()["versao_publicada"] == run["versao_publicada"]


def test_processes_that_start_together_on_an_empty_database_prepare_it_once(
    make_app: Callable[..., Flask], database_url: str
) -> None:
    apps = [make_app(database_url=database_url) for _ in range(3)]
    crashes: list[BaseException] = []

    def start(app: Flask) -> None:
        try:
            prepare(app)
        except BaseException as error:
            crashes.append(error)

    starting = [threading.Thread(target=start, args=(app,)) for app in apps]
    for thread in starting:
        thread.start()
    for thread in starting:
        thread.join(60)
    assert crashes == []
    shop: Shop = apps[0].extensions["shop"]
    with shop.database.reading() as session:
        assert session.execute(text("SELECT count(*) FROM usuario")).scalar() == 1
        assert session.execute(text("SELECT versao FROM catalogo")).scalar() == 1


def test_of_many_triggers_at_once_one_wins(
    make_app: Callable[..., Flask], database_url: str, open_site: Callable[..., DemoSite]
) -> None:
    site = open_site(latency_s=0.05)
    first = make_app(database_url=database_url, scraper_base_url=site.base_url, scraper_concurrency=1)
    prepare(first)
    apps = [first] + [
        make_app(database_url=database_url, scraper_base_url=site.base_url, scraper_concurrency=1)
        for _ in range(3)
    ]
    clients = [ScrapingClient(app) for app in apps]
    statuses: list[int] = []
    together = threading.Barrier(len(clients))

    def trigger(client: ScrapingClient) -> None:
        together.wait(20)
        statuses.append(client.trigger())

    threads = [threading.Thread(target=trigger, args=(client,)) for client in clients]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(statuses) == [202, 409, 409, 409]
    with first.extensions["shop"].database.reading() as session:
        assert session.execute(text("SELECT dono FROM scraping_execucao")).scalar() == own_identity()
