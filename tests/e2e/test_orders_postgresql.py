"""Orders on PostgreSQL, whose writers don't queue for one lock as SQLite's do."""

from __future__ import annotations

import random
import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.core.orders import RESERVED, Line, OrderStatus
from app.services.audit import audit
from app.services.catalogue import publish_crawl
from app.services.orders import Draft
from app.shop import Shop
from app.start import prepare
from app.storage.orders import OrderFilter
from tests.support.books import TRUSTING, make_crawl, make_scraped
from tests.support.orders import API_KEY, execute

THREADS = 16
BOOKS, COPIES = 4, 50


@pytest.fixture
def replicas(make_app: Callable[..., Flask], database_url: str) -> list[Flask]:
    """Two applications on one PostgreSQL database, with COPIES of each of four books."""
    apps = [make_app(database_url=database_url) for _ in range(2)]
    prepare(apps[0])
    publish(apps[0].extensions["shop"], COPIES)
    for app in apps:
        app.test_client_class = FlaskClient
    return apps


def publish(shop: Shop, copies: int) -> None:
    """Publish a scrape with `copies` of each book."""
    crawl = make_crawl(*(make_scraped(str(number), stock=copies) for number in range(BOOKS)))
    with shop.database.writing() as session:
        publish_crawl(session, crawl, TRUSTING, "https://shop.invalid/")
    shop.catalogue.refresh()


def together(work: Callable[[int], Any], times: int) -> list[Any]:
    """Return the results of `work` for 0 to `times`, in THREADS threads that begin together."""
    barrier = threading.Barrier(min(THREADS, times))
    with ThreadPoolExecutor(min(THREADS, times), initializer=lambda: barrier.wait(30)) as pool:
        return list(pool.map(work, range(times)))


def place(app: Flask, body: dict[str, Any], **headers: str) -> int:
    return app.test_client().post("/orders", json=body, headers=API_KEY | headers).status_code


def stocks(shop: Shop) -> list[int]:
    stocks: list[int] = shop.catalogue.refresh().books()["stock"].tolist()
    return stocks


def test_more_buyers_than_copies_buy_exactly_the_copies(replicas: list[Flask]) -> None:
    body = {"customer_id": "c", "items": [{"product_id": 0, "quantity": 1}]}
    statuses = together(lambda number: place(replicas[number % 2], body), 3 * COPIES)
    assert Counter(statuses) == {201: COPIES, 409: 2 * COPIES}
    shop: Shop = replicas[1].extensions["shop"]
    assert stocks(shop) == [0, COPIES, COPIES, COPIES]
    assert audit(shop.database, shop.metrics) == []


def test_concurrent_requests_with_one_key_make_one_order(replicas: list[Flask]) -> None:
    body = {"customer_id": "c", "items": [{"product_id": 0, "quantity": 1}]}
    statuses = together(lambda number: place(replicas[number % 2], body, **{"Idempotency-Key": "k"}), 60)
    assert set(statuses) == {201, 409}, statuses
    shop: Shop = replicas[0].extensions["shop"]
    assert shop.orders.orders(OrderFilter(), 0, 10)[1] == 1
    assert stocks(shop)[0] == COPIES - 1


def test_opposite_orders_cancellations_and_scrapes_neither_deadlock_nor_lose_a_copy(
    replicas: list[Flask],
) -> None:
    def act(number: int) -> str:
        shop: Shop = replicas[number % 2].extensions["shop"]
        chance = random.Random(number)
        if number % 20 == 0:
            publish(shop, COPIES)
            return "scraped"
        lines = [Line(book, 1) for book in chance.sample(range(BOOKS), 3)]
        order = shop.orders.place(Draft(customer_id="c", lines=tuple(lines)), None, "test").order
        if chance.random() < 0.7:
            shop.orders.change(order.id, OrderStatus.CANCELLED, {}, None, "test")
            return "cancelled"
        return "placed"

    outcomes = Counter(together(act, 120))
    assert outcomes["scraped"] == 6
    assert outcomes["placed"] > 20
    shop: Shop = replicas[0].extensions["shop"]
    assert audit(shop.database, shop.metrics) == []
    reserved: Counter[int] = Counter()
    for order in shop.orders.orders(OrderFilter(), 0, 1_000)[0]:
        if order.status in RESERVED:
            reserved.update(item.product_id for item in order.items)
    assert stocks(shop) == [COPIES - reserved[book] for book in range(BOOKS)]


def test_an_order_left_between_its_transactions_is_settled_by_another_replica(
    replicas: list[Flask], monkeypatch: pytest.MonkeyPatch
) -> None:
    here, there = (app.extensions["shop"] for app in replicas)

    class ProcessKilled(BaseException):
        pass

    def die(*_arguments: object) -> None:
        raise ProcessKilled

    monkeypatch.setattr(here.orders._payments, "authorise", die)
    with pytest.raises(ProcessKilled):
        here.orders.place(Draft(customer_id="c", lines=(Line(0, 2),)), None, "test")
    assert stocks(there)[0] == COPIES - 2
    execute(there, "UPDATE pedido SET dono = 'on a machine that is not ours'")
    there.orders._reconciler._abandoned_after = timedelta(seconds=-1)
    there.orders.reconcile()
    [order], _ = there.orders.orders(OrderFilter(), 0, 10)
    assert (order.status, order.payment_status) == ("failed", "voided")
    assert stocks(there)[0] == COPIES
