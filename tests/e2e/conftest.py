from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from demo.books import DemoBook, make_books
from demo.faults import Faults
from demo.site import DemoSite
from tests.support.server import Server


@pytest.fixture
def start_server(tmp_path: Path, ready_data: Path) -> Iterator[Callable[..., Server]]:
    """Real servers on one data directory, which is as a first start leaves it."""
    data_dir = tmp_path / "data"
    shutil.copytree(ready_data, data_dir)
    with ExitStack() as servers:
        yield lambda **environment: servers.enter_context(Server(data_dir, **environment))


@pytest.fixture(scope="session")
def books() -> tuple[DemoBook, ...]:
    return make_books(100, seed=7)


@pytest.fixture
def open_site(books: tuple[DemoBook, ...]) -> Iterator[Callable[..., DemoSite]]:
    """Demonstration shops on loopback, with the faults asked for."""
    with ExitStack() as sites:
        yield lambda **faults: sites.enter_context(DemoSite(books, Faults(**faults)))
