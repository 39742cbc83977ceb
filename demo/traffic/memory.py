"""What the visitors of the bookstore know, together."""

import math
import threading
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeVar

import requests

GUESS_EVERY_S = 5.0
"""Between wrong passwords: the shop blocks an address after 30 a minute."""
TOKEN_TTL_S = 600.0
"""Less than the shop's 15 minutes."""
FEATURES = ("preco_com_taxa", "preco_sem_taxa", "disponibilidade")
_MAX_REMEMBERED = 200

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class Book:
    id: int
    title: str
    category: str
    features: Mapping[str, float]
    """The inputs of a prediction, by the names in FEATURES."""


@dataclass(frozen=True, slots=True)
class PlacedOrder:
    """An order that the shop accepted, with the key and body of the request that placed it."""

    id: str
    status: str
    key: str
    body: str


@dataclass
class RateLimit:
    """Return True at most once in `every_s` seconds; `_lock` protects the time."""

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
    """State of all threads, without a lock: fields are replaced whole, and deques change in one step."""

    api_key: str
    username: str
    password: str
    books: tuple[Book, ...] = ()
    etags: dict[str, str] = field(default_factory=dict)
    orders: deque[PlacedOrder] = field(default_factory=lambda: deque(maxlen=_MAX_REMEMBERED))
    """Orders that can still change; an actor takes one out while changing it."""
    receipts: deque[PlacedOrder] = field(default_factory=lambda: deque(maxlen=_MAX_REMEMBERED))
    refresh_tokens: deque[str] = field(default_factory=lambda: deque(maxlen=_MAX_REMEMBERED))
    may_guess: RateLimit = field(default_factory=lambda: RateLimit(GUESS_EVERY_S))
    may_scrape: RateLimit = field(default_factory=lambda: RateLimit(math.inf))
    _operator: tuple[str, float] = ("", 0.0)

    def learn(self, response: requests.Response) -> str:
        """Remember the whole catalogue. Returns a problem, or ""."""
        books = tuple(
            Book(book["id"], book["titulo"], book["categoria"], {name: book[name] for name in FEATURES})
            for book in response.json()
        )
        self.books = books or self.books
        return "" if books else "the catalogue is empty"

    def operator_token(self) -> str:
        """Return an access token that allows scraping; "" if there is no fresh one."""
        token, expires_at = self._operator
        return token if time.monotonic() < expires_at else ""

    def log_operator_in(self, response: requests.Response) -> str:
        self._operator = (response.json()["access_token"], time.monotonic() + TOKEN_TTL_S)
        return ""


def take(items: deque[Item]) -> Item | None:
    """Remove and return the oldest item; None if there is none."""
    try:
        return items.popleft()
    except IndexError:
        return None


def borrow(items: deque[Item]) -> Item | None:
    """Return the oldest item and make it the newest; None if there is none."""
    item = take(items)
    if item is not None:
        items.append(item)
    return item
