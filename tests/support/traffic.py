"""Customers at a steady rate, so that a change in the shop's figures is due to what a test simulates."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Self

import requests

from app.settings import SAMPLE_API_KEY

KEY = {"X-API-Key": SAMPLE_API_KEY}
READS = (
    "/api/v1/books?page=1&per_page=20",
    "/api/v1/books/1",
    "/api/v1/categories",
    "/api/v1/stats/overview",
)
BUYERS = 4
PAUSE_S = 0.8
"""Between one customer's requests: buyers together order up to five times a second."""
SHIPPED_SHARE = 0.25


def order(book: int, token: str | None = None, quantity: int = 1) -> dict[str, object]:
    body: dict[str, object] = {
        "customer_id": "cliente",
        "items": [{"product_id": book, "quantity": quantity}],
    }
    return body if token is None else {**body, "payment": {"token": token}}


class Traffic:
    """Readers and buyers who work inside a `with` block; each is a thread with a connection of its own.

    `_closing` ends them. `problems` lists responses that no simulated fault explains.
    """

    def __init__(self, url: str, books: Sequence[int]) -> None:
        self._url = url
        self._books = books
        self._closing = threading.Event()
        self.problems: list[str] = []
        self._threads = [
            threading.Thread(target=self._live, args=(visit,), name=f"customer-{number}")
            for number, visit in enumerate([self._read, self._read, *[self._buy] * BUYERS])
        ]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closing.set()
        for thread in self._threads:
            thread.join()

    def _live(self, visit: Callable[[requests.Session], None]) -> None:
        with requests.Session() as session:
            while not self._closing.wait(PAUSE_S):
                try:
                    visit(session)
                except requests.RequestException as error:
                    self.problems.append(str(error))

    def _read(self, session: requests.Session) -> None:
        response = session.get(f"{self._url}{random.choice(READS)}", timeout=30)
        if response.status_code != 200:
            self.problems.append(f"{response.url}: {response.status_code}")

    def _buy(self, session: requests.Session) -> None:
        """Place an order and ship some accepted ones. The payment is left to chance, at the simulation's rates."""
        body = order(random.choice(self._books))
        placed = session.post(f"{self._url}/orders", json=body, headers=KEY, timeout=30)
        if placed.status_code == 201 and random.random() < SHIPPED_SHARE:
            path = f"{self._url}/orders/{placed.json()['order_id']}/status"
            session.put(path, json={"status": "shipped"}, headers=KEY, timeout=30)
