from __future__ import annotations

import shutil
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from tests.support.databases import ReadyShop
from tests.support.postgresql import run_postgresql
from tests.support.server import Server


@pytest.fixture(scope="session")
def ready_data(ready_shop: ReadyShop) -> Path:
    """A data directory with its SQLite file, as a first start leaves it; tests get copies."""
    return ready_shop.settings.data_dir


@pytest.fixture
def start_server(tmp_path: Path, ready_data: Path) -> Iterator[Callable[..., Server]]:
    """Real servers on one data directory, which is as a first start leaves it."""
    data_dir = tmp_path / "data"
    shutil.copytree(ready_data, data_dir)
    with ExitStack() as servers:
        yield lambda **environment: servers.enter_context(Server(data_dir, **environment))


@pytest.fixture(params=["sqlite", "postgresql"])
def start_on(request: pytest.FixtureRequest, start_server: Callable[..., Server]) -> Callable[..., Server]:
    """The same, once on SQLite and once on an empty PostgreSQL database."""
    url: str = "" if request.param == "sqlite" else request.getfixturevalue("database_url")
    return partial(start_server, **({"DATABASE_URL": url} if url else {}))


@pytest.fixture(scope="session")
def postgresql(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a PostgreSQL server that the tests of this process share."""
    with run_postgresql(tmp_path_factory.mktemp("postgresql")) as url:
        yield url


@pytest.fixture
def postgresql_alone(tmp_path: Path) -> Iterator[str]:
    """A database of a PostgreSQL server in `tmp_path / "postgresql"` that the test may break."""
    folder = tmp_path / "postgresql"
    folder.mkdir()
    with run_postgresql(folder) as url:
        yield f"{url}/postgres"


@pytest.fixture
def database_url(postgresql: str) -> str:
    """An empty database."""
    return create_database(postgresql)


def create_database(postgresql: str) -> str:
    """Create an empty database on a server and return its address."""
    name = f"shop_{uuid.uuid4().hex}"
    engine = create_engine(f"{postgresql}/postgres", isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    engine.dispose()
    return f"{postgresql}/{name}"
