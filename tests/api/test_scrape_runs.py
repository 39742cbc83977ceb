"""Scrapes of a live demonstration site, from the trigger to the publication."""

from __future__ import annotations

import csv
import gc
import math
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal

import pytest
from flask import Flask
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from app.services.scrape_run import BackgroundScrape
from app.services.training import STOPPED
from app.storage.catalogue_store import CatalogueStore
from demo.site.books import DemoBook
from demo.site.movement import Calendar
from demo.site.server import DemoSite
from tests.support.runs import join_runs
from tests.support.scraping_client import ScrapingClient


def test_the_first_scrape_replaces_the_demonstration_ids_included(
    connect: Callable[..., ScrapingClient], open_site: Callable[..., DemoSite], books: tuple[DemoBook, ...]
) -> None:
    client = connect(open_site())
    run = client.scrape()
    assert run["status"] == "done"
    assert (run["paginas_feitas"], run["paginas_total"], run["livros_lidos"]) == (105, 105, 100)
    assert run["contagem"] == {
        "adicionados": 100,
        "removidos": 1000,
        "reprecificados": 0,
        "reestocados": 0,
        "editados": 0,
    }
    assert run["iniciada_por"] == "admin"
    listed = client.get("/api/v1/books")
    assert [(book["id"], book["titulo"]) for book in listed] == [(i, b.title) for i, b in enumerate(books)]
    assert client.get("/health")["origem"] == "scraping"
    data_dir = client.shop.settings.data_dir
    assert (data_dir / "scraping_status.txt").read_text() == "done"
    exported = list(csv.DictReader((data_dir / "livros.csv").read_text().splitlines()))
    assert [row["titulo"] for row in exported] == [book.title for book in books]


def test_a_second_scrape_shows_the_difference_it_made(
    connect: Callable[..., ScrapingClient], open_site: Callable[..., DemoSite], books: tuple[DemoBook, ...]
) -> None:
    site = open_site()
    client = connect(site)
    client.scrape()
    gone, dearer, scarcer, rest = books[3], books[4], books[5], books[6:]
    dearer = replace(dearer, price_incl_tax=dearer.price_incl_tax + Decimal("1.01"))
    scarcer = replace(scarcer, stock=scarcer.stock + 7)
    site.replace_books((*books[:3], dearer, scarcer, *rest))
    changes = client.scrape()["diferenca"]
    assert [book["id"] for book in changes["removidos"]] == [3]
    assert [
        (b["id"], round(b["preco_com_taxa"]["depois"] - b["preco_com_taxa"]["antes"], 2))
        for b in changes["reprecificados"]
    ] == [(4, 1.01)]
    assert [
        (b["id"], b["disponibilidade"]["depois"] - b["disponibilidade"]["antes"])
        for b in changes["reestocados"]
    ] == [(5, 7)]
    assert changes["adicionados"] == []
    assert client.http.get("/api/v1/books/3").status_code == 404

    site.replace_books((gone, *books[:3], dearer, scarcer, *rest))
    assert [book["id"] for book in client.scrape()["diferenca"]["adicionados"]] == [3]
    assert client.get("/api/v1/books/3")["titulo"] == gone.title


def test_scrapes_of_a_shop_that_moves_are_published_one_after_another(
    connect: Callable[..., ScrapingClient], books: tuple[DemoBook, ...]
) -> None:
    with DemoSite(books, calendar=Calendar(books, rate=0.2, day=5_900_000)) as site:
        client = connect(site)
        runs = [client.scrape() for _ in range(4)]
    assert [run["status"] for run in runs] == ["done"] * 4
    for run in runs[1:]:
        assert run["diferenca"]["reprecificados"]
        assert run["diferenca"]["reestocados"]
    assert len({run["versao_publicada"] for run in runs}) == 4


def test_a_scrape_that_finds_nothing_new_keeps_the_version_and_every_etag(
    connect: Callable[..., ScrapingClient], open_site: Callable[..., DemoSite]
) -> None:
    client = connect(open_site())
    client.scrape()
    before = client.http.get("/api/v1/books").headers["ETag"]
    assert client.scrape()["status"] == "done"
    assert client.http.get("/api/v1/books").headers["ETag"] == before


def test_malformed_pages_end_the_run_as_error_and_change_nothing(
    connect: Callable[..., ScrapingClient], open_site: Callable[..., DemoSite]
) -> None:
    client = connect(open_site(malformed_rate=0.3))
    before = client.everything()
    run = client.scrape()
    assert run["status"] == "error"
    assert "SCRAPER_MAX_FAILED_SHARE" in run["motivo"]
    assert "sem " in run["motivo"]
    assert len(run["falhas"]) == run["paginas_com_falha"] > 20
    assert client.everything() == before
    assert (client.shop.settings.data_dir / "scraping_status.txt").read_text() == "error"
    assert client.get("/api/v1/scraping/status")["status"] == "error"


def test_a_shop_that_lost_most_of_its_books_is_not_believed(
    connect: Callable[..., ScrapingClient], open_site: Callable[..., DemoSite], books: tuple[DemoBook, ...]
) -> None:
    site = open_site()
    client = connect(site)
    client.scrape()
    before = client.everything()
    site.replace_books(books[:70])
    run = client.scrape()
    assert run["status"] == "error"
    assert run["motivo"].startswith("30 de 100 livros sumiram")
    assert client.everything() == before


def test_a_page_that_fails_within_the_limit_keeps_its_book_as_it_was(
    connect: Callable[..., ScrapingClient], open_site: Callable[..., DemoSite], books: tuple[DemoBook, ...]
) -> None:
    site = open_site()
    client = connect(site, scraper_max_failed_share=0.5)
    client.scrape()
    titles = {book["titulo"] for book in client.get("/api/v1/books")}
    site.faults = replace(site.faults, malformed_rate=0.2)
    site.replace_books(books)
    run = client.scrape()
    assert run["status"] == "done"
    assert run["paginas_com_falha"] > 5
    assert {book["titulo"] for book in client.get("/api/v1/books")} == titles


def test_a_run_that_has_ended_leaves_none_of_its_pages_in_memory(
    connect: Callable[..., ScrapingClient], open_site: Callable[..., DemoSite]
) -> None:
    client = connect(open_site())
    client.scrape()
    gc.collect()
    assert BackgroundScrape not in {type(found) for found in gc.get_objects()}


def test_cancelling_ends_the_run_and_changes_nothing(
    connect: Callable[..., ScrapingClient], open_site: Callable[..., DemoSite]
) -> None:
    client = connect(open_site(latency_s=0.05), scraper_concurrency=1)
    before = client.everything()
    assert client.trigger() == 202
    assert client.trigger() == 409
    assert client.http.post("/api/v1/scraping/cancel", headers=client.header).status_code == 202
    run = client.finish()
    assert (run["status"], run["cancelada_por"]) == ("cancelled", "admin")
    assert client.everything() == before
    assert client.get("/api/v1/scraping/status")["status"] == "cancelled"
    assert client.http.post("/api/v1/scraping/cancel", headers=client.header).status_code == 409


def test_a_run_of_another_process_is_seen_and_cancelled_from_here(
    make_app: Callable[..., Flask], open_site: Callable[..., DemoSite]
) -> None:
    site = open_site(latency_s=0.05)
    first, second = (
        ScrapingClient(make_app(scraper_base_url=site.base_url, scraper_concurrency=1)) for _ in range(2)
    )
    assert first.trigger() == 202
    assert second.trigger() == 409
    assert second.get("/api/v1/scraping/status")["status"] == "processing"
    assert second.http.post("/api/v1/scraping/cancel", headers=second.header).status_code == 202
    assert first.finish()["status"] == "cancelled"


def test_a_site_that_is_down_ends_the_run_with_its_reason(make_app: Callable[..., Flask]) -> None:
    client = ScrapingClient(make_app(scraper_max_attempts=1))
    run = client.scrape()
    assert run["status"] == "error"
    assert run["motivo"].startswith("O site não pôde ser lido")
    assert client.get("/api/v1/scraping/status")["motivo"] == run["motivo"]


def test_a_holder_that_lost_its_lease_publishes_nothing(
    connect: Callable[..., ScrapingClient], open_site: Callable[..., DemoSite]
) -> None:
    client = connect(open_site(latency_s=0.02), scraper_concurrency=2)
    before = client.everything()
    client.trigger()
    with client.shop.database.writing() as session:
        session.execute(text("UPDATE scraping_execucao SET dono = 'elsewhere:1:another'"))
    client.finish()
    assert client.everything() == before


def test_a_lease_that_ran_out_on_another_machine_is_reported_as_interrupted(app: Flask) -> None:
    client = ScrapingClient(app)
    with client.shop.database.writing() as session:
        session.execute(
            text(
                "INSERT INTO scraping_execucao (id, status, url_base, iniciada_por, iniciada_em, dono, expira_em,"
                " paginas_total, paginas_feitas, paginas_com_falha, paginas_reaproveitadas, livros_lidos)"
                " VALUES (1, 'processing', 'http://x/', 'admin', '2026-01-01 00:00:00', 'elsewhere:1:x',"
                " '2026-01-01 00:00:30', 0, 0, 0, 0, 0)"
            )
        )
    assert client.get("/api/v1/scraping/status")["status"] == "error"
    assert client.get("/api/v1/scraping/runs/1")["status"] == "interrupted"


def test_who_sees_that_a_run_is_done_sees_its_books(
    make_app: Callable[..., Flask], open_site: Callable[..., DemoSite]
) -> None:
    site = open_site()
    scraping, reading = (
        ScrapingClient(make_app(scraper_base_url=site.base_url, check_every_s=math.inf)) for _ in range(2)
    )
    assert len(reading.get("/api/v1/books")) == 1000
    scraping.scrape()
    assert reading.get("/api/v1/scraping/status")["status"] == "done"
    assert len(reading.get("/api/v1/books")) == 100


def test_a_hiccup_after_the_publication_leaves_the_run_done(
    connect: Callable[..., ScrapingClient],
    open_site: Callable[..., DemoSite],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    client = connect(open_site())

    def hiccup(_store: CatalogueStore) -> None:
        raise OperationalError("SELECT 1", {}, Exception("gone"))

    with monkeypatch.context() as broken:
        broken.setattr(CatalogueStore, "refresh", hiccup)
        client.trigger()
        join_runs("scrape-")
    run = client.finish()
    assert (run["status"], run["versao_publicada"]) == ("done", 2)
    assert len(client.get("/api/v1/books")) == 100


def test_what_a_scrape_publishes_is_what_the_next_model_learns_from(
    connect: Callable[..., ScrapingClient], open_site: Callable[..., DemoSite]
) -> None:
    client = connect(open_site(), ml_auto_train=True)
    client.scrape()
    training = client.shop.trainings.latest()
    assert training is not None
    assert (training.started_by, training.catalogue_version) == ("publicacao", 2)
    client.shop.trainings.stop()
    assert client.get("/api/v1/ml/status")["motivo"] == STOPPED


def test_a_scrape_that_publishes_nothing_trains_nothing(make_app: Callable[..., Flask]) -> None:
    client = ScrapingClient(make_app(scraper_max_attempts=1, ml_auto_train=True))
    assert client.scrape()["status"] == "error"
    assert client.get("/api/v1/ml/status") == {"status": "never"}
