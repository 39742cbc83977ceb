"""A reader of the dashboard: the pages that there are, and how a browser opens and reads them."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from playwright.sync_api import Browser, ConsoleMessage, Locator, Page, expect

from tests.support.server import Server

PAGES = {
    "visao-geral": "Visão geral",
    "metricas": "Métricas Prometheus",
    "logs": "Logs Estruturados",
    "pedidos": "Pedidos e estoque",
    "catalogo": "Catálogo",
    "modelo": "Modelo",
    "scraping": "Scraping",
}
WIDE, NARROW = {"width": 1280, "height": 900}, {"width": 400, "height": 800}
WAIT_MS = 30_000


@contextmanager
def visitor(
    browser: Browser, host: str, *, scheme: str = "light", viewport: dict[str, int] = WIDE
) -> Iterator[Page]:
    """A Brazilian's page on which an error in the console, or a request to anybody else, fails the test."""
    context = browser.new_context(
        viewport=viewport, color_scheme=scheme, locale="pt-BR", timezone_id="America/Sao_Paulo"
    )  # type: ignore[arg-type]
    complaints: list[str] = []

    def heard(line: ConsoleMessage) -> None:
        if line.type == "error":
            complaints.append(f"{line.text} {line.location}")

    page = context.new_page()
    page.set_default_timeout(WAIT_MS)
    page.on("console", heard)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on(
        "request",
        lambda request: (
            complaints.append(request.url) if not request.url.startswith((host, "data:", "blob:")) else None
        ),
    )
    page.goto(host)
    expect(page.get_by_role("heading", level=1)).to_be_visible(timeout=WAIT_MS)
    yield page
    context.close()
    assert complaints == []


def open_page(page: Page, slug: str) -> None:
    """By the navigation, as a reader does it; ready when it says when it was read."""
    link = page.get_by_test_id("stSidebarNavLink").filter(has_text=PAGES[slug])
    link.dispatch_event("click")  # in a narrow window the navigation is folded away
    expect(page.get_by_role("heading", level=1)).to_have_text(PAGES[slug], timeout=WAIT_MS)
    expect(page.get_by_text(re.compile("^Lido às"))).to_be_visible(timeout=WAIT_MS)
    expect(page.get_by_test_id("stException")).to_have_count(0)
    expect(page.get_by_test_id("stAlertContentError")).to_have_count(0)


def figure(page: Page, label: str) -> Locator:
    """The value on the tile of this name."""
    tile = page.get_by_test_id("stMetric").filter(has=page.get_by_text(label, exact=True))
    return tile.get_by_test_id("stMetricValue")


def expect_figure(page: Page, label: str, value: str) -> None:
    expect(figure(page, label)).to_have_text(value, timeout=WAIT_MS)


def wait_for_model(shop: Server, within_s: float = 180) -> dict[str, Any]:
    """The card of the model, once the training that was begun has ended."""
    deadline = time.monotonic() + within_s
    while (status := shop.get("/api/v1/ml/status").json())["status"] == "processing":
        assert time.monotonic() < deadline, status
        time.sleep(0.1)
    assert status["status"] == "done", status
    card: dict[str, Any] = shop.get("/api/v1/ml/model").json()
    return card
