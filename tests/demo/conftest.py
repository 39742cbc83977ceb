from __future__ import annotations

from collections.abc import Callable, Iterator
from random import Random

import pytest

from demo.traffic.call import Call
from demo.traffic.load_generator import LoadGenerator, LoadOptions
from demo.traffic.memory import Book, Memory
from demo.traffic.schedule import Actor
from demo.traffic.tally import Tally
from tests.support.fake_shop import FEATURES, FakeShop, fake_shop

Act = Callable[[Random, Memory], Call]
Visit = Callable[..., Tally]


@pytest.fixture
def api() -> Iterator[FakeShop]:
    with fake_shop() as server:
        yield server


@pytest.fixture
def memory() -> Memory:
    books = tuple(Book(n, f"Some Book of {n}", "Poetry", FEATURES) for n in range(50))
    return Memory("key", "admin", "1234", books=books)


@pytest.fixture
def visit(api: FakeShop, memory: Memory) -> Visit:
    """Makes a call of each actor in `api`, and returns the results."""

    def visit(*acts: Act) -> Tally:
        generator = LoadGenerator(api.url, memory, LoadOptions(rate=1, seconds=1))
        generator.visit(*(Actor(act, 1) for act in acts), rng=Random(1))
        return generator.tally

    return visit
