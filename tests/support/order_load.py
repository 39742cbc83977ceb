"""Orders and cancellations under load, while the shop or its database dies, and what must hold afterwards."""

from __future__ import annotations

import random
import threading
import time
import uuid
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import requests

from app.core.accounts import BY_RECOVERY
from app.core.orders import RESERVED
from app.factory import create_app
from app.services.audit import audit
from app.shop import Shop
from app.storage.orders import OrderFilter
from tests.support.orders import API_KEY
from tests.support.shop import make_settings

BUYERS = 8
BOOKS = range(10)
TROUBLE = {
    "SIMULATION_PAYMENT_LATENCY_MS": "3",
    "SIMULATION_PAYMENT_DENIED_RATE": "0.1",
    "WRITES_PER_MINUTE": "10000000",
}
SLOW_PAYMENTS = TROUBLE | {"SIMULATION_PAYMENT_LATENCY_MS": "50"}
"""With these, nearly every order is between its two transactions at any moment."""


class Buyer:
    """Places orders and cancels some, and repeats each request until its final response.

    `outcomes` has a status and an order id for each key. Other threads read it when the buyer has ended.
    """

    def __init__(self, url: str, number: int, finished: threading.Event) -> None:
        self._url = url
        self._random = random.Random(number)
        self._finished = finished
        self.outcomes: dict[str, tuple[int, str | None]] = {}
        self.cancelled: set[str] = set()
        self.thread = threading.Thread(target=self._run, name=f"buyer-{number}")

    def _run(self) -> None:
        while not self._finished.is_set():
            key = uuid.uuid4().hex
            books = self._random.sample(BOOKS, self._random.randint(1, 3))
            body = {"customer_id": key, "items": [{"product_id": book, "quantity": 1} for book in books]}
            response = self._repeat("POST", "/orders", body, {"Idempotency-Key": key})
            if response is None:
                return
            order_id = response.json().get("order_id")
            self.outcomes[key] = response.status_code, order_id
            if order_id and self._random.random() < 0.7:
                response = self._repeat("PUT", f"/orders/{order_id}/status", {"status": "cancelled"}, {})
                if response is None:
                    return
                assert response.status_code == 200, response.text
                self.cancelled.add(order_id)

    def _repeat(
        self, method: str, path: str, body: dict[str, Any], headers: dict[str, str]
    ) -> requests.Response | None:
        """Return the final response, or None where the test ended first."""
        while not self._finished.is_set():
            try:
                response = requests.request(
                    method, f"{self._url}{path}", json=body, headers=API_KEY | headers, timeout=10
                )
            except requests.RequestException:
                time.sleep(0.01)  # the shop is dead
                continue
            in_flight = response.status_code == 409 and "Retry-After" in response.headers
            if response.status_code < 500 and not in_flight:
                return response
            time.sleep(0.01)
        return None


def wait_for_more(buyers: list[Buyer]) -> None:
    """Return after the next final response to any buyer."""
    deadline = time.monotonic() + 30
    before = sum(len(buyer.outcomes) for buyer in buyers)
    while sum(len(buyer.outcomes) for buyer in buyers) == before:
        assert time.monotonic() < deadline, "no buyer gets a response"
        time.sleep(0.005)


def wait_for_each(buyers: list[Buyer], within_s: float = 60) -> None:
    """Return when every buyer has the final response to what it asks for now, and to one more."""
    deadline = time.monotonic() + within_s
    before = [len(buyer.outcomes) for buyer in buyers]
    while any(len(buyer.outcomes) < seen + 2 for buyer, seen in zip(buyers, before, strict=True)):
        assert time.monotonic() < deadline, "a buyer gets no final response"
        time.sleep(0.005)


@contextmanager
def buyers_at(url: str) -> Iterator[list[Buyer]]:
    """Run BUYERS buyers for the time of the block."""
    finished = threading.Event()
    buyers = [Buyer(url, number, finished) for number in range(BUYERS)]
    try:
        for buyer in buyers:
            buyer.thread.start()
        yield buyers
    finally:
        finished.set()
        for buyer in buyers:
            buyer.thread.join(30)


def stocks_of(data_dir: Path, database_url: str = "") -> dict[int, int]:
    shop: Shop = create_app(make_settings(data_dir, database_url=database_url)).extensions["shop"]
    frame = shop.catalogue.refresh().books()
    shop.database.engine.dispose()
    return dict(zip(frame["id"].tolist(), frame["stock"].tolist(), strict=True))


def check(
    data_dir: Path, start: dict[int, int], buyers: list[Buyer], *, at_least: int, database_url: str = ""
) -> None:
    """Compare the orders, the stock and the buyers' outcomes."""
    shop: Shop = create_app(make_settings(data_dir, database_url=database_url)).extensions["shop"]
    shop.orders.reconcile()
    assert audit(shop.database, shop.metrics) == []
    orders, count = shop.orders.orders(OrderFilter(), 0, 1_000_000)
    recovered = [order for order in orders if shop.orders.order(order.id).history[-1].by == BY_RECOVERY]
    shop.database.engine.dispose()
    assert len(orders) == count
    assert recovered, "no death was between the two transactions of an order"
    by_id = {order.id: order for order in orders}
    placed = Counter(
        order.customer_id for order in orders if order.status not in ("failed", "payment_denied")
    )
    assert set(placed.values()) <= {1}, "no key made two orders"
    outcomes = {key: outcome for buyer in buyers for key, outcome in buyer.outcomes.items()}
    cancelled = set.union(*(buyer.cancelled for buyer in buyers))
    for key, (status, order_id) in outcomes.items():
        assert placed[key] == (status == 201), "an order for every 201, and none for a refusal"
        if status == 201:
            assert by_id[str(order_id)].customer_id == key
    assert all(by_id[order_id].status == "cancelled" for order_id in cancelled)
    statuses = Counter(status for status, _ in outcomes.values())
    assert set(statuses) <= {201, 402, 409}
    assert statuses[201] > 0
    assert len(outcomes) >= at_least, "the load was hardly one"
    reserved: Counter[int] = Counter()
    for order in orders:
        for item in order.items:
            reserved[item.product_id] += item.quantity if order.status in RESERVED else 0
    now = stocks_of(data_dir, database_url)
    assert {book: now[book] + reserved[book] for book in now} == start
