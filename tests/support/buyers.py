"""Many buyers at once."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import requests

from tests.support.orders import API_KEY

CONNECTIONS = 64


def buy_together(urls: Sequence[str], headers: Sequence[dict[str, str]]) -> list[requests.Response]:
    """Place an order of one copy of book 0 with each of `headers`, at the shops `urls` in turns.

    They go over up to CONNECTIONS connections that stay open and begin together.
    """
    own = threading.local()
    connections = min(CONNECTIONS, len(headers))
    together = threading.Barrier(connections)
    body = {"customer_id": "buyer", "items": [{"product_id": 0, "quantity": 1}]}

    def connect() -> None:
        own.session = requests.Session()
        together.wait(30)

    def place(number: int) -> requests.Response:
        response: requests.Response = own.session.post(
            f"{urls[number % len(urls)]}/orders", json=body, headers=API_KEY | headers[number], timeout=60
        )
        return response

    with ThreadPoolExecutor(connections, initializer=connect) as pool:
        return list(pool.map(place, range(len(headers))))
