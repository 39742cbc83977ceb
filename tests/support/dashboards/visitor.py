"""A visitor of the dashboard: opens its pages in a browser and reads them."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal

from playwright.sync_api import Browser, ConsoleMessage, Locator, Page, Request, ViewportSize, expect

from tests.support.server import Server

PAGES = {
    "visao-geral": "Visão geral",
    "metricas": "Métricas Prometheus",
    "logs": "Logs Estruturados",
    "pedidos": "Pedidos e estoque",
    "catalogo": "Catálogo",
    "historico": "Histórico",
    "modelo": "Modelo",
    "scraping": "Scraping",
}
"""Titles by URL path."""
ColorScheme = Literal["light", "dark"]
WIDE: ViewportSize = {"width": 1280, "height": 900}
NARROW: ViewportSize = {"width": 400, "height": 800}
WAIT_MS = 30_000


@contextmanager
def visit(
    browser: Browser, url: str, *, scheme: ColorScheme = "light", viewport: ViewportSize = WIDE
) -> Iterator[Page]:
    """Open the overview as a Brazilian; AssertionError at the end for console errors and requests to other hosts."""
    context = browser.new_context(
        viewport=viewport, color_scheme=scheme, locale="pt-BR", timezone_id="America/Sao_Paulo"
    )
    problems: list[str] = []

    def on_console(message: ConsoleMessage) -> None:
        if message.type == "error":
            problems.append(f"{message.text} {message.location}")

    def on_request(request: Request) -> None:
        if not request.url.startswith((url, "data:", "blob:")):
            problems.append(request.url)

    page = context.new_page()
    page.set_default_timeout(WAIT_MS)
    page.on("console", on_console)
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("request", on_request)
    page.goto(url)
    expect(page.get_by_role("heading", level=1)).to_be_visible(timeout=WAIT_MS)
    yield page
    context.close()
    assert problems == []


def open_page(page: Page, path: str) -> None:
    """Follow the link in the navigation and wait until the page is drawn."""
    link = page.get_by_test_id("stSidebarNavLink").filter(has_text=PAGES[path])
    link.dispatch_event("click")  # in a narrow window the navigation is folded away
    expect(page.get_by_role("heading", level=1)).to_have_text(PAGES[path], timeout=WAIT_MS)
    expect(page.get_by_text(re.compile("^Lido às"))).to_be_visible(timeout=WAIT_MS)
    expect(page.get_by_test_id("stException")).to_have_count(0)
    expect(page.get_by_test_id("stAlertContentError")).to_have_count(0)


def tile_value(page: Page, label: str) -> Locator:
    tile = page.get_by_test_id("stMetric").filter(has=page.get_by_text(label, exact=True))
    return tile.get_by_test_id("stMetricValue")


def expect_tile(page: Page, label: str, value: str) -> None:
    expect(tile_value(page, label)).to_have_text(value, timeout=WAIT_MS)


def wait_for_model(shop: Server, timeout_s: float = 180) -> dict[str, Any]:
    """Return the model's card once the current training has ended."""
    deadline = time.monotonic() + timeout_s
    while (status := shop.get("/api/v1/ml/status").json())["status"] == "processing":
        assert time.monotonic() < deadline, status
        time.sleep(0.1)
    assert status["status"] == "done", status
    card: dict[str, Any] = shop.get("/api/v1/ml/model").json()
    return card
