from __future__ import annotations

import gc
import os
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import flask_migrate
import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import create_engine

from app.factory import create_app
from app.shop import Shop
from app.start import prepare
from app.storage.database import Database, database_options
from app.storage.polled import CHECK_EVERY_S
from demo.site.books import DemoBook, make_books
from demo.site.faults import Faults
from demo.site.server import DemoSite
from tests.support.contract import ContractClient
from tests.support.databases import ON_POSTGRESQL, Databases, PostgresqlDatabases, ReadyShop, SqliteDatabases
from tests.support.postgresql import run_postgresql
from tests.support.shop import make_settings

ADMIN = {"username": "admin", "password": "1234"}
LONG = Path(__file__).parent / "e2e"
SERVER_VARIABLE = "TEST_POSTGRESQL_SERVER"
"""By which the process that starts the one PostgreSQL server tells pytest's workers where it is."""


def pytest_configure(config: pytest.Config) -> None:
    """Start the PostgreSQL server of `TEST_DATABASE=postgresql`, one for all of pytest's workers."""
    if not ON_POSTGRESQL or SERVER_VARIABLE in os.environ:
        return
    server = ExitStack()
    config.add_cleanup(server.close)
    folder = Path(server.enter_context(tempfile.TemporaryDirectory(ignore_cleanup_errors=True)))
    try:
        os.environ[SERVER_VARIABLE] = server.enter_context(run_postgresql(folder))
    except pytest.skip.Exception as error:
        raise pytest.UsageError(f"TEST_DATABASE=postgresql: {error}") from None


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out the tests of the other database; put the long ones first, so that no worker ends alone with one."""
    other = "sqlite_only" if ON_POSTGRESQL else "postgresql_only"
    config.hook.pytest_deselected(items=[item for item in items if item.get_closest_marker(other)])
    items[:] = [item for item in items if not item.get_closest_marker(other)]
    items.sort(key=lambda item: LONG not in item.path.parents)


def pytest_collection_finish() -> None:
    """Leave what the imports made out of every garbage collection: a fifth of the time."""
    gc.freeze()


@pytest.fixture(scope="session")
def databases() -> Iterator[Databases]:
    """What makes the tests' databases: all on SQLite, or all on PostgreSQL."""
    if not ON_POSTGRESQL:
        yield SqliteDatabases()
        return
    databases = PostgresqlDatabases(os.environ[SERVER_VARIABLE])
    yield databases
    databases.close()


@pytest.fixture(scope="session")
def ready_shop(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> ReadyShop:
    """A shop as a first start leaves it; tests get copies."""
    data_dir = tmp_path_factory.mktemp("ready")
    settings = make_settings(data_dir, database_url=databases.create(data_dir))
    app = create_app(settings)
    prepare(app)
    close(app)
    return ReadyShop(settings, databases)


@pytest.fixture
def make_app(tmp_path: Path, ready_shop: ReadyShop) -> Iterator[Callable[..., Flask]]:
    """Applications on one data directory and database of the test's own, as processes of one shop share them."""
    apps: list[Flask] = []

    def make(check_every_s: float = CHECK_EVERY_S, **changes: Any) -> Flask:
        app = create_app(replace(settings, **changes), check_every_s)
        app.test_client_class = ContractClient
        apps.append(app)
        return app

    with ready_shop.copied(tmp_path / "data") as settings:
        yield make
        for app in apps:
            close(app)
    leaked = [
        thread.name for thread in threading.enumerate() if thread.name.startswith(("scrape", "training"))
    ]
    assert not leaked, f"threads left behind: {leaked}"


@pytest.fixture
def app(make_app: Callable[..., Flask]) -> Flask:
    return make_app()


@pytest.fixture
def shop(app: Flask) -> Shop:
    parts: Shop = app.extensions["shop"]
    return parts


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


@pytest.fixture
def as_admin(client: FlaskClient) -> dict[str, str]:
    """The header of a logged-in admin."""
    tokens = client.post("/api/v1/auth/login", json=ADMIN).get_json()
    return {"Authorization": f"Bearer {tokens['access_token']}"}


@pytest.fixture
def as_operator(client: FlaskClient, as_admin: dict[str, str]) -> dict[str, str]:
    """The header of a logged-in operator."""
    operator = {"username": "operadora", "password": "12345"}
    client.post("/api/v1/auth/newuser", json=operator, headers=as_admin)
    tokens = client.post("/api/v1/auth/login", json=operator).get_json()
    return {"Authorization": f"Bearer {tokens['access_token']}"}


def close(app: Flask) -> None:
    shop: Shop = app.extensions["shop"]
    shop.stop()
    shop.database.engine.dispose()


@pytest.fixture(scope="session")
def migrated_url(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A database as `flask db upgrade` leaves it."""
    data_dir = tmp_path_factory.mktemp("migrated")
    url = databases.create(data_dir)
    app = create_app(make_settings(data_dir, database_url=url))
    with app.app_context():
        flask_migrate.upgrade()
    shop: Shop = app.extensions["shop"]
    shop.database.engine.dispose()
    return url


@pytest.fixture
def database(tmp_path: Path, databases: Databases, migrated_url: str) -> Iterator[Database]:
    """A migrated database of the test's own, in which nothing was ever published."""
    url = databases.copy(migrated_url, tmp_path)
    database = Database(create_engine(url, **database_options(url, threads=8)))
    yield database
    database.engine.dispose()
    databases.drop(url)


@pytest.fixture(scope="session")
def books() -> tuple[DemoBook, ...]:
    return make_books(100, seed=7)


@pytest.fixture
def open_site(books: tuple[DemoBook, ...]) -> Iterator[Callable[..., DemoSite]]:
    """Demonstration sites on loopback, each with its own faults."""
    with ExitStack() as sites:
        yield lambda **faults: sites.enter_context(DemoSite(books, Faults(**faults)))
