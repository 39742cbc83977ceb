"""What the visitors of the demonstration know together."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeVar

import requests

GUESS_EVERY_S = 5.0  # an address that is wrong 30 times a minute is shut out
SCRAPE_EVERY_S = 300.0
TOKEN_LASTS_S = 600.0  # the shop says 15 minutes
FEATURES = ("preco_com_taxa", "preco_sem_taxa", "disponibilidade")
_KEPT = 200

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class Book:
    id: int
    title: str
    category: str
    features: Mapping[str, float]
    """What a rating is predicted from, by the names in FEATURES."""


@dataclass(frozen=True, slots=True)
class Placed:
    """An order that the shop accepted, and the request that placed it."""

    id: str
    status: str
    key: str
    body: str


@dataclass
class Seldom:
    """Says yes, and at most once in `every_s` seconds; `_lock` protects the time."""

    every_s: float
    _next: float = 0.0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __call__(self) -> bool:
        with self._lock:
            if time.monotonic() < self._next:
                return False
            self._next = time.monotonic() + self.every_s
            return True


@dataclass
class Memory:
    """Shared by every thread without a lock: what is replaced is replaced whole, and deques change in one step."""

    api_key: str
    username: str
    password: str
    books: tuple[Book, ...] = ()
    etags: dict[str, str] = field(default_factory=dict)
    orders: deque[Placed] = field(default_factory=lambda: deque(maxlen=_KEPT))
    """Those that can still change; whoever changes one takes it out meanwhile."""
    receipts: deque[Placed] = field(default_factory=lambda: deque(maxlen=_KEPT))
    refresh_tokens: deque[str] = field(default_factory=lambda: deque(maxlen=_KEPT))
    may_guess: Seldom = field(default_factory=lambda: Seldom(GUESS_EVERY_S))
    may_scrape: Seldom = field(default_factory=lambda: Seldom(SCRAPE_EVERY_S))
    _operator: tuple[str, float] = ("", 0.0)

    def learn(self, answer: requests.Response) -> str:
        """Remember the whole catalogue."""
        found = tuple(
            Book(book["id"], book["titulo"], book["categoria"], {name: book[name] for name in FEATURES})
            for book in answer.json()
        )
        self.books = found or self.books
        return "" if found else "the catalogue is empty"

    def operator_token(self) -> str:
        """The access token of who may scrape; "" where there is no fresh one."""
        token, until = self._operator
        return token if time.monotonic() < until else ""

    def log_operator_in(self, answer: requests.Response) -> str:
        self._operator = (answer.json()["access_token"], time.monotonic() + TOKEN_LASTS_S)
        return ""


def take(items: deque[Item]) -> Item | None:
    """The oldest item, which leaves; None where there is none."""
    try:
        return items.popleft()
    except IndexError:
        return None


def borrow(items: deque[Item]) -> Item | None:
    """The oldest item, which becomes the newest."""
    item = take(items)
    if item is not None:
        items.append(item)
    return item
