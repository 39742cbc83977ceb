"""Which book a row is, and how many copies of it there are: exports, scraped files and files of the seed."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from flask import Flask

from app.services.audit import audit
from demo.site.books import DemoBook
from demo.site.server import DemoSite
from scraper.__main__ import main as scraper_main
from scraper.book import ScrapedBook
from scraper.csv_file import read_books
from tests.support.catalogue_csv import as_csv, exported_csv, scraper_csv, seed_rows
from tests.support.imports import MANY, ImportClient
from tests.support.orders import API_KEY, place_order


def test_what_was_exported_and_is_imported_is_the_same_catalogue_byte_for_byte(
    stocked: ImportClient,
) -> None:
    exported = (stocked.shop.settings.data_dir / "livros.csv").read_bytes()
    before, pages, version = stocked.everything(), stocked.pages(), stocked.get("/health")["versao_catalogo"]
    report = stocked.load(exported)
    assert report["aceitas"] == len(MANY)
    assert report["versao"] == version
    assert not any(report["diferenca"].values())
    assert stocked.pages() == pages
    assert stocked.everything() == before


def test_the_catalogue_that_a_search_gives_as_csv_can_be_imported_again(stocked: ImportClient) -> None:
    place_order(stocked.http, (0, 2))
    downloaded = stocked.http.get("/api/v1/books/search?formato=csv").data
    rows, version = stocked.rows(), stocked.get("/health")["versao_catalogo"]
    report = stocked.load(downloaded)
    assert (report["aceitas"], report["versao"], stocked.rows()) == (len(MANY), version, rows)


def test_the_demonstrations_own_export_changes_nothing_either(client: ImportClient) -> None:
    pages, rows = client.pages(), client.rows()
    report = client.load((client.shop.settings.data_dir / "livros.csv").read_bytes())
    assert (report["versao"], client.pages(), client.rows()) == (1, pages, rows)
    assert client.get("/health")["origem"] == "demonstracao"


def test_an_export_is_unchanged_by_what_was_reserved_before_and_sold_since(
    stocked: ImportClient, tmp_path: Path
) -> None:
    place_order(stocked.http, (0, 2), (3, 8))
    stocked.load(scraper_csv(tmp_path, [*MANY[1:3], replace(MANY[3], stock=6), MANY[0], *MANY[4:]]))
    published = (stocked.shop.settings.data_dir / "livros.csv").read_bytes()
    order = place_order(stocked.http, (0, 1), (1, 3))["order_id"]
    rows = stocked.rows()
    now = exported_csv(tmp_path, stocked.shop.catalogue.refresh())
    assert now != published
    for exported in (published, now):
        report = stocked.load(exported)
        assert not any(report["diferenca"].values())
        assert stocked.rows() == rows
    place_order(stocked.http, (0, 1))
    rows = stocked.rows()
    for exported in (published, now):
        stocked.load(exported)
        assert stocked.rows() == rows, "a file that was written between two sales is as right as any"
    cancelled = stocked.http.patch(f"/orders/{order}", json={"status": "cancelled"}, headers=API_KEY)
    assert cancelled.status_code == 200
    rows = stocked.rows()
    stocked.load(published)
    assert stocked.rows() == rows, "what came back since is on sale"
    assert audit(stocked.shop.database, stocked.shop.metrics) == []


def test_an_export_between_an_order_and_its_cancellation_takes_no_copies_away(
    stocked: ImportClient, tmp_path: Path
) -> None:
    rows = stocked.rows()
    order = place_order(stocked.http, (0, 2), (1, 1))["order_id"]
    exported = exported_csv(tmp_path, stocked.shop.catalogue.refresh())
    cancelled = stocked.http.patch(f"/orders/{order}", json={"status": "cancelled"}, headers=API_KEY)
    assert cancelled.status_code == 200
    report = stocked.load(exported)
    assert not any(report["diferenca"].values())
    assert stocked.rows() == rows
    assert audit(stocked.shop.database, stocked.shop.metrics) == []


def test_a_stock_that_the_operator_changed_in_an_export_is_what_can_be_ordered(
    stocked: ImportClient, tmp_path: Path
) -> None:
    place_order(stocked.http, (0, 2))
    stocked.load(scraper_csv(tmp_path, [*MANY[:3], replace(MANY[3], stock=6), *MANY[4:]]))
    exported = (stocked.shop.settings.data_dir / "livros.csv").read_text()
    rows = list(csv.DictReader(io.StringIO(exported)))
    rows[0]["disponibilidade"] = "77"
    stocked.load(as_csv(rows))
    assert stocked.get("/api/v1/books/0")["disponibilidade"] == 77
    assert audit(stocked.shop.database, stocked.shop.metrics) == []


def test_the_scrapers_file_in_a_fresh_shop_equals_its_scrape_field_by_field(
    make_app: Callable[..., Flask],
    open_site: Callable[..., DemoSite],
    books: tuple[DemoBook, ...],
    client: ImportClient,
    tmp_path: Path,
) -> None:
    site = open_site()
    client.load(read_site(site, tmp_path).read_bytes())
    imported = client.rows(), client.http.get("/api/v1/books").data
    assert [row["titulo"] for row in imported[0]] == [book.title for book in books]
    assert client.get("/health")["origem"] == "importacao"
    scraping = ImportClient(make_app(scraper_base_url=site.base_url))
    assert scraping.scrape()["contagem"] == {
        "adicionados": 0, "removidos": 0, "reprecificados": 0, "reestocados": 0, "editados": 0,
    }  # fmt: skip
    assert (scraping.rows(), scraping.http.get("/api/v1/books").data) == imported


def test_the_copies_that_are_reserved_are_subtracted_from_the_scrapers_count(
    stocked: ImportClient, tmp_path: Path
) -> None:
    place_order(stocked.http, (0, 2))
    stocked.load(scraper_csv(tmp_path, [replace(MANY[0], stock=30), *MANY[1:]]))
    assert stocked.get("/api/v1/books/0")["disponibilidade"] == 28
    assert audit(stocked.shop.database, stocked.shop.metrics) == []


def test_books_without_a_upc_get_one_of_their_own_and_keep_their_ids(client: ImportClient) -> None:
    rows = seed_rows(30)
    assert len(client.load(as_csv(rows))["diferenca"]["adicionados"]) == 30
    before = client.rows()
    upcs = {row["upc"] for row in before}
    assert len(upcs) == 30
    assert all(upc.startswith("importado-") for upc in upcs)
    rows[4] |= {"preco_com_taxa": "15.50", "preco_sem_taxa": "15.50"}
    changes = client.load(as_csv([*rows[5:], *rows[:5], *seed_rows(31)[30:]]))["diferenca"]
    assert [book["id"] for book in changes["reprecificados"]] == [4]
    assert [book["id"] for book in changes["adicionados"]] == [30]
    assert client.rows()[5:30] == before[5:30]


def test_a_scrape_recognises_the_books_of_a_file_that_had_no_upcs(
    make_app: Callable[..., Flask],
    open_site: Callable[..., DemoSite],
    client: ImportClient,
    tmp_path: Path,
) -> None:
    site = open_site()
    pages = read_books(read_site(site, tmp_path))[::-1]
    client.load(as_csv(seed_row_of(page) for page in pages))
    scraping = ImportClient(make_app(scraper_base_url=site.base_url))
    run = scraping.scrape()
    assert (run["status"], run["contagem"]["adicionados"], run["contagem"]["editados"]) == ("done", 0, 100)
    assert [(row["id"], row["titulo"], row["upc"]) for row in scraping.rows()] == [
        (place, page.title, page.upc) for place, page in enumerate(pages)
    ]


def test_a_book_that_is_not_in_the_file_leaves_and_comes_back_under_its_id(
    stocked: ImportClient, tmp_path: Path
) -> None:
    exported = (stocked.shop.settings.data_dir / "livros.csv").read_bytes()
    assert [
        book["id"] for book in stocked.load(scraper_csv(tmp_path, MANY[1:]))["diferenca"]["removidos"]
    ] == [0]
    assert stocked.http.get("/api/v1/books/0").status_code == 404
    assert [book["id"] for book in stocked.load(exported)["diferenca"]["adicionados"]] == [0]
    assert stocked.get("/api/v1/books/0")["titulo"] == MANY[0].title


def test_the_books_of_one_file_keep_what_its_columns_do_not_say(
    stocked: ImportClient, tmp_path: Path
) -> None:
    described = [replace(book, description=f"About {book.title}") for book in MANY]
    stocked.load(scraper_csv(tmp_path, described))
    rows = list(csv.DictReader(io.StringIO(scraper_csv(tmp_path, MANY).decode())))
    report = stocked.load(as_csv(rows, [name for name in rows[0] if name != "descricao"]))
    assert not any(report["diferenca"].values())


def read_site(site: DemoSite, folder: Path) -> Path:
    """Return the file that `python -m scraper --out` makes of `site`."""
    file = folder / "site.csv"
    assert scraper_main(["--out", str(file), "--base-url", site.base_url]) == 0
    return file


def seed_row_of(page: ScrapedBook) -> dict[str, str]:
    return {
        "categoria": page.category,
        "disponibilidade": str(page.stock),
        "preco_com_taxa": str(page.price_incl_tax),
        "preco_sem_taxa": str(page.price_excl_tax),
        "rating": str(page.rating),
        "titulo": page.title,
        "url_imagem": page.image_url,
    }
