"""Payments that hang, in a real server: they cost their own requests, and no reader anything."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable

import requests

from app.factory import READERS_THREADS
from tests.support.database_faults import find_mismatches
from tests.support.orders import API_KEY, order_for
from tests.support.server import Server

HANGING = 3


def test_payments_that_hang_leave_threads_to_readers(start_on: Callable[..., Server]) -> None:
    threads = HANGING + READERS_THREADS
    server = start_on(WEB_THREADS=str(threads), PAYMENT_TIMEOUT_S="4")
    copies = server.get("/api/v1/books/0").json()["disponibilidade"]
    body = order_for((0, 1), payment={"token": "tok_timeout"})
    statuses: list[int] = []

    def buy() -> None:
        response = requests.post(f"{server.url}/orders", json=body, headers=API_KEY, timeout=20)
        statuses.append(response.status_code)

    buyers = [threading.Thread(target=buy) for _ in range(2 * threads)]
    for buyer in buyers:
        buyer.start()
    while len(statuses) < 2 * threads - HANGING:  # those without a place are refused, and the others hang
        assert requests.get(f"{server.url}/api/v1/books/0", timeout=2).status_code == 200
    assert requests.get(f"{server.url}/health", timeout=2).status_code == 200
    assert Counter(statuses) == {502: 2 * threads - HANGING}
    for buyer in buyers:
        buyer.join(20)
    assert Counter(statuses) == {502: 2 * threads - HANGING, 504: HANGING}
    assert server.get("/api/v1/books/0").json()["disponibilidade"] == copies, "nothing was sold"
    assert find_mismatches(server.data_dir, server.database_url) == []
