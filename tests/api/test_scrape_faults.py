"""Scrapes of sites that break, lie or are protected."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import text
from sqlalchemy.exc import DataError, OperationalError
from sqlalchemy.exc import TimeoutError as NoTurn

from app.services import scrape_run
from demo.site.books import DemoBook
from demo.site.pages import Pages
from demo.site.server import DemoSite
from scraper.events import CrawlEvent, PageFailed
from tests.support.demo_pages import body_of
from tests.support.raw_site import Respond, http_response, raw_site
from tests.support.scraping_client import ScrapingClient

PUBLIC = [
    "/health",
    "/api/v1/books",
    "/api/v1/books/5",
    "/api/v1/scraping/status",
    "/api/v1/scraping/runs",
    "/api/v1/scraping/runs/1",
    "/api/v1/scraping/runs/2",
]


class _TooLong(Exception):
    sqlstate = "54000"


@pytest.mark.parametrize(
    ("make_error", "reused"),
    [
        (ZeroDivisionError, 0),
        (lambda: DataError("INSERT", {}, Exception("numeric field overflow")), 0),
        (lambda: OperationalError("INSERT", {}, _TooLong()), 0),
        (lambda: OperationalError("COMMIT", {}, Exception("disk full")), 100),
        (lambda: NoTurn("no turn to write"), 100),
    ],
    ids=["bug", "bad value", "value beyond PostgreSQL's limits", "database at fault", "database busy"],
)
def test_a_publication_that_was_tried_leaves_no_page_unless_the_database_was_at_fault(
    connect: Callable[..., ScrapingClient],
    open_site: Callable[..., DemoSite],
    monkeypatch: pytest.MonkeyPatch,
    make_error: Callable[[], Exception],
    reused: int,
) -> None:
    client = connect(open_site())

    def break_off(*_: object) -> None:
        raise make_error()

    with monkeypatch.context() as broken:
        broken.setattr(scrape_run, "publish_crawl", break_off)
        assert client.scrape()["motivo"].startswith("Falha interna")
    again = client.scrape()
    assert (again["status"], again["paginas_reaproveitadas"]) == ("done", reused)


def test_a_refused_run_lends_no_page_to_the_next(
    connect: Callable[..., ScrapingClient], open_site: Callable[..., DemoSite]
) -> None:
    client = connect(open_site(malformed_rate=0.3))
    assert client.scrape()["status"] == "error"
    assert client.scrape()["paginas_reaproveitadas"] == 0


def test_a_run_whose_listing_broke_off_lends_its_pages_to_the_next(
    make_app: Callable[..., Flask], books: tuple[DemoBook, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    pages, last_read = Pages(books), threading.Event()

    def read_last(connection: socket.socket, _nth: int) -> None:
        connection.sendall(http_response(200, body_of(pages, books[19].path)))
        last_read.set()

    def break_off(connection: socket.socket, _nth: int) -> None:
        last_read.wait(20)
        connection.sendall(http_response(404))

    responses: dict[str, Respond | bytes] = {
        path: http_response(200, body_of(pages, path)) for path in ("/", *(book.path for book in books[:19]))
    }
    responses |= {books[19].path: read_last, "/catalogue/page-2.html": break_off}
    monkeypatch.setattr(scrape_run, "SAVE_EVERY_S", 0)
    with raw_site(responses) as site:
        client = ScrapingClient(make_app(scraper_base_url=site.base_url, scraper_concurrency=2))
        assert client.scrape()["motivo"].startswith("O site não pôde ser lido")
        assert client.scrape()["paginas_reaproveitadas"] >= 15


def test_a_page_that_crashes_the_reader_is_one_failed_page_with_a_line_in_the_log(
    connect: Callable[..., ScrapingClient],
    open_site: Callable[..., DemoSite],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def crawl_with_a_crash(*_: object, **__: object) -> Iterator[CrawlEvent]:
        yield PageFailed("http://x/1.html", 0, "falha inesperada na leitura", "TypeError in parse")

    monkeypatch.setattr(scrape_run, "crawl_in_child", crawl_with_a_crash)
    run = connect(open_site()).scrape()
    assert run["falhas"] == [{"url": "http://x/1.html", "motivo": "falha inesperada na leitura"}]
    [line] = [vars(record) for record in caplog.records if record.message == "scrape_page_crashed"]
    assert (line["run_id"], line["url"], line["reason"]) == (1, "http://x/1.html", "TypeError in parse")


@pytest.mark.parametrize(
    ("change", "setting"),
    [
        ({"stock": 0}, "SCRAPER_MAX_SOLD_OUT_SHARE"),
        ({"category": "Poetry"}, "SCRAPER_MAX_LOST_CATEGORY_SHARE"),
        ({"title": "The Same"}, "SCRAPER_MAX_RENAMED_SHARE"),
    ],
)
def test_a_site_that_says_one_thing_of_all_its_books_is_not_believed(
    connect: Callable[..., ScrapingClient],
    open_site: Callable[..., DemoSite],
    books: tuple[DemoBook, ...],
    change: dict[str, Any],
    setting: str,
) -> None:
    site = open_site()
    client = connect(site)
    client.scrape()
    before = client.everything()
    site.replace_books([replace(book, **change) for book in books])
    run = client.scrape()
    assert run["status"] == "error"
    assert setting in run["motivo"]
    assert client.everything() == before


def test_a_page_that_redirects_to_a_listed_book_is_one_failed_page(
    make_app: Callable[..., Flask], books: tuple[DemoBook, ...]
) -> None:
    pages = Pages(books)
    paths = ["/", *(f"/catalogue/page-{n}.html" for n in range(2, 6)), *(book.path for book in books)]
    responses: dict[str, Respond | bytes] = {path: http_response(200, body_of(pages, path)) for path in paths}
    responses[books[5].path] = http_response(302, b"", f"Location: {books[6].path}")
    with raw_site(responses) as site:
        client = ScrapingClient(make_app(scraper_base_url=site.base_url, scraper_max_failed_share=0.1))
        run = client.scrape()
    assert (run["status"], run["paginas_com_falha"], len(client.get("/api/v1/books"))) == ("done", 1, 99)
    [failure] = run["falhas"]
    assert failure["url"].endswith(books[5].path)
    assert books[6].path in failure["motivo"]


def test_the_password_in_the_address_of_the_site_is_shown_nowhere(
    connect: Callable[..., ScrapingClient],
    open_site: Callable[..., DemoSite],
    make_app: Callable[..., Flask],
    caplog: pytest.LogCaptureFixture,
) -> None:
    site = open_site()
    app = make_app(scraper_base_url=site.base_url.replace("http://", "http://bob:s3cret@"))
    client = ScrapingClient(app)
    assert client.scrape()["status"] == "done"
    assert client.get("/health")["fonte"] == site.base_url
    assert client.get("/api/v1/books/5")["url_imagem"].startswith(site.base_url)
    site.faults = replace(site.faults, malformed_rate=1.0)
    site.replace_books(site.pages.books)
    assert client.scrape()["status"] == "error"
    shown = [
        *(client.http.get(path, headers=client.header).text for path in PUBLIC),
        (client.shop.settings.data_dir / "livros.csv").read_text(),
        caplog.text,
    ]
    with client.shop.database.reading() as session:
        for table in ("livros", "catalogo", "scraping_execucao", "scraping_pagina"):
            shown += [str(row) for row in session.execute(text(f"SELECT * FROM {table}"))]
    assert not any("s3cret" in text or "bob:" in text for text in shown)
