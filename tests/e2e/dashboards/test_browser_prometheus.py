"""The real dashboard in a real browser, with the history of a real shop that a real Prometheus keeps."""

from __future__ import annotations

import re
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from dashboards import formats
from dashboards.metrics.exposition import parse
from demo.site.books import make_books
from demo.site.server import DemoSite
from tests.support.dashboards.streamlit_server import DashboardServer
from tests.support.dashboards.visitor import PAGES, WAIT_MS, expect_tile, open_page, visit, wait_for_model
from tests.support.prometheus import Prometheus
from tests.support.server import Server
from tests.support.traffic import KEY, Traffic

BOOKS = 60
BOOK = {"preco_com_taxa": 30.0, "preco_sem_taxa": 30.0, "disponibilidade": 5}
CHARTS = {
    "visao-geral": 2,
    "metricas": 9,
    "logs": 2,
    "pedidos": 4,
    "catalogo": 3,
    "historico": 0,
    "modelo": 5,  # 60 books are too few to learn from their texts
    "scraping": 0,
}
PAGES_OF_METRICS = {"visao-geral", "metricas", "pedidos"}
DRAWN = ".role-mark path:is([d*=L], [d*=h], [d*=C])"
"""A line, area or bar with an extent, not a single point."""
TWO_POINTS_OF_EVERY_CHART = 'rate(ecommerce_orders_created_total{payment_status="denied"}[1m] offset 6s) > 0'
"""A chart draws a point every 5 seconds."""
NOTHING_TO_SHOW = re.compile("^(Ainda não há|Nenhum(?! candidato))")


@dataclass(frozen=True, slots=True)
class Watched:
    shop: Server
    prometheus: Prometheus
    dashboard: DashboardServer


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory, ready_data: Path) -> Iterator[Watched]:
    """A shop that is quiet again, after some seconds of customers that Prometheus has scraped."""
    folder = tmp_path_factory.mktemp("watched")
    shutil.copytree(ready_data, folder / "data")
    with DemoSite(make_books(BOOKS, seed=7)) as site:
        shop = Server(folder / "data", SCRAPER_BASE_URL=site.base_url, SIMULATION_PAYMENT_DENIED_RATE="0.3")
        # Prometheus first: it takes some seconds to look for its target.
        with Prometheus(folder / "prometheus", f"127.0.0.1:{shop.port}") as prometheus, shop:
            admin = shop.log_in()
            shop.post("/api/v1/scraping/trigger", headers=admin)
            assert shop.wait_for_scrape()["status"] == "done"
            shop.post("/api/v1/ml/train", headers=admin)
            with DashboardServer(
                folder / "streamlit.log",
                api_url=shop.url,
                prometheus_url=prometheus.url,
                api_token=admin["Authorization"].removeprefix("Bearer "),
            ) as dashboard:
                prometheus.wait_for(f"livraria_catalogue_books == {BOOKS}")
                with Traffic(shop.url, range(BOOKS)) as customers:
                    prometheus.wait_for(TWO_POINTS_OF_EVERY_CHART)
                assert customers.problems == []
                wait_for_model(shop)
                shop.post("/api/v1/ml/predictions", json=[BOOK]).raise_for_status()
                prometheus.wait_for(f"timestamp(livraria_stock_units) > {time.time()}")
                yield Watched(shop, prometheus, dashboard)


def count_orders(shop: Server) -> int:
    return int(shop.get("/orders", headers=KEY, params={"per_page": 1}).headers["X-Total-Count"])


def expect_revenue(page: Page, shop: Server) -> None:
    """Expect all that the shop ever took, to the penny."""
    [pounds] = parse(shop.get("/metrics").text)["ecommerce_revenue_pounds_total"].values()
    expect_tile(page, "Receita", formats.pounds(pounds))


def test_every_page_has_its_charts_and_names_prometheus(browser: Browser, watched: Watched) -> None:
    with visit(browser, watched.dashboard.url) as page:
        for path in PAGES:
            open_page(page, path)
            expect(page.get_by_text(re.compile("O Prometheus não responde"))).to_have_count(0)
            expect(page.get_by_text(f"Métricas: Prometheus em {watched.prometheus.url}")).to_be_visible()
            if path in PAGES_OF_METRICS:
                expect(page.get_by_text(re.compile(r"Fonte: Prometheus\."))).to_be_visible()
            charts = page.get_by_test_id("stVegaLiteChart")
            expect(charts).to_have_count(CHARTS[path], timeout=WAIT_MS)
            expect(charts.filter(has_not=page.locator(DRAWN))).to_have_count(0, timeout=WAIT_MS)
            expect(page.get_by_text(NOTHING_TO_SHOW)).to_have_count(0)
    assert "Traceback" not in watched.dashboard.log.read_text()


def test_the_figures_are_those_of_prometheus_and_the_shop(browser: Browser, watched: Watched) -> None:
    [placed] = watched.prometheus.query("sum(livraria_orders)")
    [denied] = watched.prometheus.query('livraria_orders{status="payment_denied"}')
    total, denials = float(placed["value"][1]), float(denied["value"][1])
    assert total == count_orders(watched.shop) > denials > 0
    stock = [book["disponibilidade"] for book in watched.shop.get("/api/v1/books").json()]
    with visit(browser, watched.dashboard.url) as page:
        for path in ("visao-geral", "pedidos"):
            open_page(page, path)
            expect_tile(page, "Pedidos", formats.number(total))
            expect_tile(page, "Taxa de recusa", formats.percent(denials / total))
            expect_tile(page, "Exemplares", formats.number(sum(stock)))
            expect_tile(page, "Estoque baixo", formats.number(sum(1 <= copies <= 3 for copies in stock)))
            expect_tile(page, "Esgotados", formats.number(stock.count(0)))
            expect_revenue(page, watched.shop)
        page.get_by_role("combobox", name="Período").click()
        page.get_by_role("option", name="7 dias").click()  # no longer than the 15 minutes for so young a shop
        expect(page.get_by_text("vendidos: nos últimos 7 dias")).to_be_visible(timeout=WAIT_MS)
        expect_revenue(page, watched.shop)
        open_page(page, "catalogo")
        expect_tile(page, "Livros", formats.number(BOOKS))
