"""A balancer in front of several servers, and clients that send through it and count what is lost."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import requests

from tests.support.orders import wait_until

CHECK_EVERY_S = 0.1
_WAIT_S = 0.02
API_KEY = {"X-API-Key": "minha_chave_secreta_empresa"}


class Balancer:
    """Sends each request to the next server that `/readyz` calls ready, and to another where it can't connect.

    What was sent is not sent again: an answer that is missing then is a lost request. `_ready` is replaced as a whole.
    """

    def __init__(self, urls: Sequence[str]) -> None:
        self._urls = tuple(urls)
        self._ready: tuple[str, ...] = ()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="balancer")
        self._turn = 0

    def __enter__(self) -> Balancer:
        self._check()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def wait_until_ready(self, url: str) -> None:
        wait_until(lambda: url in self._ready)

    def send(self, session: requests.Session, method: str, path: str, **arguments: Any) -> requests.Response:
        while True:
            self._turn += 1
            ready = self._ready
            if not ready:
                self._ended.wait(_WAIT_S)
                continue
            url = ready[self._turn % len(ready)]
            try:
                return session.request(method, f"{url}{path}", timeout=20, **arguments)
            except requests.ConnectionError as error:
                if "Failed to establish a new connection" not in str(error):
                    raise
                self._ended.wait(_WAIT_S)

    def _watch(self) -> None:
        while not self._ended.wait(CHECK_EVERY_S):
            self._check()

    def _check(self) -> None:
        self._ready = tuple(url for url in self._urls if _is_ready(url))


def _is_ready(url: str) -> bool:
    try:
        return requests.get(f"{url}/readyz", timeout=1).status_code == 200
    except requests.RequestException:
        return False


class Load:
    """Clients that read and order through a balancer over kept-alive connections until the block ends.

    Its threads share its lists and the iterator over the books, whose methods are atomic.
    """

    def __init__(self, balancer: Balancer, books: Sequence[int]) -> None:
        self._balancer = balancer
        self._books = itertools.cycle(books)
        self._ended = threading.Event()
        self.lost: list[str] = []
        self.orders: list[str] = []

    @contextmanager
    def running(self, clients: int) -> Iterator[None]:
        threads = [threading.Thread(target=self._run) for _ in range(clients)]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self._ended.set()
            for thread in threads:
                thread.join()

    def wait_for_orders(self, number: int) -> None:
        """Wait until so many more were placed."""
        enough = len(self.orders) + number
        wait_until(lambda: len(self.orders) >= enough)

    def _run(self) -> None:
        with requests.Session() as session:
            while not self._ended.is_set():
                book = next(self._books)
                order = {"customer_id": "c1", "items": [{"product_id": book, "quantity": 1}]}
                try:
                    read = self._balancer.send(session, "GET", f"/api/v1/books/{book}")
                    placed = self._balancer.send(session, "POST", "/orders", json=order, headers=API_KEY)
                except requests.RequestException as error:
                    self.lost.append(repr(error))
                    continue
                if placed.status_code == 201:
                    self.orders.append(placed.json()["order_id"])
                if read.status_code != 200 or placed.status_code not in (201, 409):  # 409: sold out
                    self.lost.append(f"{read.status_code} {placed.status_code} {placed.text}")
