"""Shops whose ratings can be predicted, or their opposite."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from app.factory import create_app
from app.services.catalogue import publish_crawl
from app.shop import Shop
from scraper.book import ScrapedBook
from tests.support.books import LIMITS, make_crawl, make_scraped
from tests.support.server import Server
from tests.support.shop import make_settings

SITE = "https://shop.invalid/"
BOOKS = 60
BATCH = [
    {"preco_com_taxa": price, "preco_sem_taxa": price, "disponibilidade": 5} for price in (11, 21, 31, 41, 51)
]


def rated_by_price(*, dear_is_good: bool) -> list[ScrapedBook]:
    """Books from 10 to 59 pounds, whose rating is their price's first digit, or six less that."""
    books = []
    for number in range(BOOKS):
        price = 10 + number * 50 // BOOKS
        rating = price // 10 if dear_is_good else 6 - price // 10
        books.append(make_scraped(f"n{number}", price=f"{price}.00", rating=rating))
    return books


def publish(data_dir: Path, books: list[ScrapedBook], **changes: Any) -> None:
    """Put `books` on sale in the shop on `data_dir`, as a scrape by another process would."""
    app = create_app(make_settings(data_dir, **changes))
    shop: Shop = app.extensions["shop"]
    with shop.database.writing() as session:
        publish_crawl(session, make_crawl(*books), LIMITS, SITE)
    shop.stop()
    shop.database.engine.dispose()


def wait_for_training(server: Server, within_s: float = 90) -> dict[str, Any]:
    """Poll the status until a training has ended."""
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        status: dict[str, Any] = server.get("/api/v1/ml/status").json()
        if status["status"] not in ("processing", "never"):
            return status
        time.sleep(0.05)
    raise AssertionError(f"not trained after {within_s} s: {status}")


def train(server: Server) -> int:
    """Train to the end; answers the model's version."""
    answer = server.post("/api/v1/ml/train", headers=server.log_in())
    assert answer.status_code == 202, answer.text
    status = wait_for_training(server)
    assert status["status"] == "done", status
    version: int = status["versao"]
    return version
