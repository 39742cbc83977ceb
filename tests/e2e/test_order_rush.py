"""Many buyers at once, against the real server."""

from __future__ import annotations

import signal
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from app.factory import create_app
from app.services.audit import audit
from app.services.catalogue import publish_crawl
from app.shop import Shop
from tests.support.books import TRUSTING, make_crawl, make_scraped
from tests.support.buyers import buy_together
from tests.support.orders import API_KEY
from tests.support.server import Server
from tests.support.shop import make_settings

BUYERS, COPIES = 800, 50


def shop_on(data_dir: Path) -> Shop:
    shop: Shop = create_app(make_settings(data_dir)).extensions["shop"]
    return shop


def stock_one_book(server: Server) -> None:
    """Leave the shop with COPIES of one book and no other."""
    shop = shop_on(server.data_dir)
    with shop.database.writing() as session:
        crawl = make_crawl(make_scraped("wanted", stock=COPIES, price="12.34"))
        publish_crawl(session, crawl, TRUSTING, "http://shop.invalid/")
    shop.database.engine.dispose()


def mismatches(server: Server) -> list[str]:
    shop = shop_on(server.data_dir)
    mismatches = audit(shop.database, shop.metrics)
    shop.database.engine.dispose()
    return mismatches


def test_800_buyers_on_64_connections_buy_exactly_the_50_copies_there_are(
    start_server: Callable[..., Server],
) -> None:
    server = start_server()
    server.end(signal.SIGTERM)
    stock_one_book(server)
    server.start()
    responses = buy_together([server.url], [{} for _ in range(BUYERS)])
    assert Counter(response.status_code for response in responses) == {201: COPIES, 409: BUYERS - COPIES}
    refusal = next(response.json() for response in responses if response.status_code == 409)
    assert refusal["error_type"] == "insufficient_stock"
    assert (
        len({response.json()["order_id"] for response in responses if response.status_code == 201}) == COPIES
    )
    assert server.get("/api/v1/books/0").json()["disponibilidade"] == 0
    listed = server.get("/orders?per_page=1", headers=API_KEY)
    assert listed.headers["X-Total-Count"] == str(COPIES)
    assert mismatches(server) == []


def test_60_concurrent_requests_with_one_key_make_one_order(start_server: Callable[..., Server]) -> None:
    server = start_server(SIMULATION_PAYMENT_LATENCY_MS="50")
    before = server.get("/api/v1/books/0").json()["disponibilidade"]
    responses = buy_together([server.url], [{"Idempotency-Key": "the one"} for _ in range(60)])
    statuses = Counter(response.status_code for response in responses)
    assert set(statuses) == {201, 409}
    assert all("Retry-After" in response.headers for response in responses if response.status_code == 409)
    placed = [response for response in responses if response.status_code == 201]
    assert len({response.text for response in placed}) == 1
    assert sum("Idempotent-Replayed" not in response.headers for response in placed) == 1
    assert server.get("/orders", headers=API_KEY).headers["X-Total-Count"] == "1"
    assert server.get("/api/v1/books/0").json()["disponibilidade"] == before - 1
    assert mismatches(server) == []
