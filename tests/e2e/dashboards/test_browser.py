"""The real dashboard of a real shop in a real browser.

`UPDATE_SCREENSHOTS=1` also renews the pictures of it in docs/images.
"""

from __future__ import annotations

import os
import re
import shutil
import threading
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, ViewportSize, expect

from app.settings import SAMPLE_API_KEY
from dashboards import formats
from dashboards.metrics.exposition import parse
from demo.site.books import make_books
from demo.site.server import DemoSite
from tests.support.dashboards.fake_api import UNREACHABLE_URL
from tests.support.dashboards.streamlit_server import DashboardServer
from tests.support.dashboards.visitor import (
    NARROW,
    PAGES,
    WAIT_MS,
    WIDE,
    ColorScheme,
    expect_tile,
    open_page,
    visit,
    wait_for_model,
)
from tests.support.server import ROOT, Server

READINGS_PICTURED = 20
PICTURES = ROOT / "docs" / "images"
LAST_READ = re.compile("^Lido às")
PREDICTED = re.compile("^Avaliação prevista")


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory, ready_data: Path) -> Iterator[Server]:
    """A shop that has scraped once, sold some books, and refused some orders."""
    data_dir = tmp_path_factory.mktemp("shop") / "data"
    shutil.copytree(ready_data, data_dir)
    with (
        DemoSite(make_books(1_000, seed=7)) as site,
        Server(data_dir, SCRAPER_BASE_URL=site.base_url) as server,
    ):
        server.post("/api/v1/scraping/trigger", headers=server.log_in())
        assert server.wait_for_scrape()["status"] == "done"
        server.post("/api/v1/ml/train", headers=server.log_in())
        trade(server, orders=30)
        yield server


@pytest.fixture(scope="module")
def card(shop: Server) -> dict[str, Any]:
    """The card of the scraped catalogue's model, which was trained while other tests ran."""
    return wait_for_model(shop)


@pytest.fixture(scope="module")
def dashboard(shop: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[DashboardServer]:
    token = shop.log_in()["Authorization"].removeprefix("Bearer ")
    log = tmp_path_factory.mktemp("dashboard") / "streamlit.log"
    with DashboardServer(log, api_url=shop.url, prometheus_url=UNREACHABLE_URL, api_token=token) as server:
        yield server


def trade(shop: Server, orders: int, start: int = 0) -> None:
    for number in range(start, start + orders):
        token = "tok_denied" if number % 5 == 0 else "tok_approved"
        body = {
            "customer_id": f"cliente-{number}",
            "items": [{"product_id": 3 * number % 1_000, "quantity": 1}],
            "payment": {"token": token},
        }
        shop.post("/orders", headers={"X-API-Key": SAMPLE_API_KEY}, json=body)
        shop.get(f"/api/v1/books/{number}")
        shop.get("/api/v1/books/search?titulo=garden")


@pytest.mark.parametrize("viewport", [WIDE, NARROW], ids=["wide", "narrow"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_page_opens_in_every_window_and_colour_scheme(
    browser: Browser, dashboard: DashboardServer, scheme: ColorScheme, viewport: ViewportSize
) -> None:
    with visit(browser, dashboard.url, scheme=scheme, viewport=viewport) as page:
        for path in PAGES:
            open_page(page, path)
            overflow = page.evaluate(
                "(main => main.scrollWidth - main.clientWidth)(document.querySelector('[data-testid=stMain]'))"
            )
            assert overflow <= 0, f"{path} is wider than the window"
        background = page.evaluate("getComputedStyle(document.querySelector('.stApp')).backgroundColor")
        brightness = sum(map(int, re.findall(r"\d+", background)[:3]))
        assert (brightness < 380) is (scheme == "dark")
    assert "Traceback" not in dashboard.log.read_text()


def test_the_figures_are_those_of_the_api(browser: Browser, dashboard: DashboardServer, shop: Server) -> None:
    health = shop.get("/health").json()
    samples = parse(shop.get("/metrics").text)
    orders = {dict(labels)["status"]: count for labels, count in samples["livraria_orders"].items()}
    books = shop.get("/api/v1/books").json()
    stock = sum(book["disponibilidade"] for book in books)
    assert orders["payment_denied"] == 6
    with visit(browser, dashboard.url) as page:
        open_page(page, "visao-geral")
        catalogue = (
            f"{formats.number(health['livros'])} livros · versão {health['versao_catalogo']} do catálogo"
        )
        expect(page.get_by_text(catalogue)).to_be_visible()
        expect(page.get_by_text(f"Catálogo de {health['fonte']}")).to_be_visible()
        expect_tile(page, "Pedidos", formats.number(sum(orders.values())))
        expect_tile(page, "Taxa de recusa", formats.percent(6 / sum(orders.values())))
        expect_tile(page, "Receita", formats.pounds(samples["ecommerce_revenue_pounds_total"][()]))
        expect_tile(page, "Exemplares", formats.number(stock))
        expect_tile(page, "Esgotados", formats.number(sum(book["disponibilidade"] == 0 for book in books)))
        expect(page.get_by_text("Concluída")).to_be_visible()
        open_page(page, "catalogo")
        expect_tile(page, "Livros", formats.number(len(books)))
        expect_tile(page, "Exemplares", formats.number(stock))


def test_the_model_is_assessed_as_by_the_api(
    browser: Browser, dashboard: DashboardServer, shop: Server, card: dict[str, Any]
) -> None:
    with visit(browser, dashboard.url) as page:
        open_page(page, "modelo")
        expect(page.get_by_text(card["frase"])).to_be_visible()
        expect_tile(page, "Acerto servido", formats.percent(card["acuracia"]))
        expect_tile(page, "Linha de base", formats.percent(card["linha_de_base"]["acuracia"]))
        best = max(candidate["acuracia"] for candidate in card["candidatos"])
        expect_tile(page, "Melhor candidato", formats.percent(best))
        expect_tile(page, "Livros no treino", formats.number(card["dados"]["linhas"]))
        expect(page.get_by_test_id("stDataFrame")).to_contain_text("Regressão logística", timeout=WAIT_MS)
        page.get_by_label("Preço com taxa (£)").fill("9000")
        page.get_by_role("button", name="Prever a avaliação").click()
        expect(page.get_by_text(PREDICTED)).to_be_visible(timeout=WAIT_MS)
        expect(page.get_by_text("Muito fora dos dados de treino: preço com taxa.")).to_be_visible()
    predictions = parse(shop.get("/metrics").text)["livraria_predictions_total"]
    assert sum(predictions.values()) == 1


def test_the_records_of_a_failed_request_are_found_by_its_id(
    browser: Browser, dashboard: DashboardServer, shop: Server
) -> None:
    request_id = shop.get("/api/v1/books/424242").json()["request_id"]
    with visit(browser, dashboard.url) as page:
        open_page(page, "logs")
        field = page.get_by_label("Siga um request_id")
        field.fill(request_id)
        field.press("Enter")
        tables = page.get_by_test_id("stDataFrame")
        expect(tables).to_have_count(2, timeout=WAIT_MS)
        expect(tables.nth(1)).to_contain_text("/api/v1/books/424242", timeout=WAIT_MS)


def test_the_page_says_that_the_api_is_down_and_recovers(
    browser: Browser, tmp_path: Path, ready_data: Path
) -> None:
    data_dir = tmp_path / "data"
    shutil.copytree(ready_data, data_dir)
    api = Server(data_dir)
    with (
        DashboardServer(tmp_path / "log", api_url=api.url, prometheus_url=UNREACHABLE_URL) as dashboard,
        visit(browser, dashboard.url) as page,
    ):
        expect(page.get_by_text(f"A API não responde em {api.url}.")).to_be_visible(timeout=WAIT_MS)
        with api:
            expect(page.get_by_text("No ar")).to_be_visible(timeout=WAIT_MS)
            expect(page.get_by_text("A API não responde")).to_have_count(0, timeout=WAIT_MS)


def predict_dearer_books(shop: Server) -> None:
    """Ask for enough predictions of dearer books to raise the drift above noise."""
    books = shop.get("/api/v1/books").json()
    keys = ("preco_com_taxa", "preco_sem_taxa", "disponibilidade")
    rows = [{key: book[key] for key in keys} for book in books[:300]]
    dearer = [{**row, "preco_com_taxa": 1.2 * row["preco_com_taxa"]} for row in rows]
    shop.post("/api/v1/ml/predictions", json=dearer).raise_for_status()


def take_pictures(browser: Browser, dashboard: DashboardServer, shop: Server, card: dict[str, Any]) -> None:
    predict_dearer_books(shop)
    stop = threading.Event()

    def keep_trading() -> None:
        start = 30
        while not stop.wait(0.3):
            trade(shop, orders=2, start=start)
            start += 2

    customers = threading.Thread(target=keep_trading)
    customers.start()
    try:
        with visit(browser, dashboard.url) as page:
            open_page(page, "visao-geral")
            for _ in range(READINGS_PICTURED):  # each is a reading by the page's own clock
                caption = page.get_by_text(LAST_READ)
                expect(caption).not_to_have_text(caption.inner_text(), timeout=WAIT_MS)
            for path in PAGES:
                open_page(page, path)
                if path == "modelo":
                    page.get_by_role("button", name="Prever a avaliação").click()
                    expect(page.get_by_text(PREDICTED)).to_be_visible(timeout=WAIT_MS)
                take_picture(page, PICTURES / f"dashboard-{path}.png")
    finally:
        stop.set()
        customers.join()


def take_picture(page: Page, file: Path) -> None:
    """Save the whole page while it is paused and completely drawn."""
    paused = page.get_by_text(re.compile("em pausa"))
    page.get_by_text("Pausar a atualização").click()
    expect(paused).to_be_visible(timeout=WAIT_MS)
    expect(page.get_by_test_id("stSkeleton")).to_have_count(0, timeout=WAIT_MS)
    expect(page.locator("[data-stale=true]")).to_have_count(0, timeout=WAIT_MS)
    height = page.evaluate("document.querySelector('[data-testid=stMainBlockContainer]').scrollHeight")
    page.set_viewport_size({"width": WIDE["width"], "height": height})
    page.evaluate("document.fonts.ready")
    page.wait_for_load_state("networkidle")
    picture = Image.open(BytesIO(page.screenshot(animations="disabled")))
    picture.convert("RGB").quantize(64).save(file, optimize=True)
    page.set_viewport_size(WIDE)
    page.get_by_text("Pausar a atualização").click()
    expect(paused).to_have_count(0, timeout=WAIT_MS)  # a link clicked before would be ignored


if "UPDATE_SCREENSHOTS" in os.environ:  # not a skipped test, because CI allows none
    test_pictures_for_the_documentation = take_pictures
