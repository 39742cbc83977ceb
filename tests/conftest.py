from __future__ import annotations

import gc
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
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
from tests.support.shop import make_settings

ADMIN = {"username": "admin", "password": "1234"}
LONG = Path(__file__).parent / "e2e"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the long tests first, so that no worker is left alone with one at the end."""
    items.sort(key=lambda item: LONG not in item.path.parents)


def pytest_collection_finish() -> None:
    """Leave what the imports made out of every garbage collection: a fifth of the time."""
    gc.freeze()


@pytest.fixture(scope="session")
def ready_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data directory as a first start leaves it; tests get copies."""
    data_dir = tmp_path_factory.mktemp("ready")
    app = create_app(make_settings(data_dir))
    prepare(app)
    close(app)
    return data_dir


@pytest.fixture
def make_app(tmp_path: Path, ready_data: Path) -> Iterator[Callable[..., Flask]]:
    """Applications on one data directory of the test's own, as processes of one shop would share it."""
    apps: list[Flask] = []
    data_dir = tmp_path / "data"
    shutil.copytree(ready_data, data_dir)

    def make(check_every_s: float = CHECK_EVERY_S, **changes: Any) -> Flask:
        app = create_app(make_settings(data_dir, **changes), check_every_s)
        app.test_client_class = ContractClient
        apps.append(app)
        return app

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
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file as `flask db upgrade` leaves it."""
    data_dir = tmp_path_factory.mktemp("migrated")
    app = create_app(make_settings(data_dir))
    with app.app_context():
        flask_migrate.upgrade()
    shop: Shop = app.extensions["shop"]
    shop.database.engine.dispose()
    return data_dir / "livraria.db"


@pytest.fixture
def database(tmp_path: Path, migrated_file: Path) -> Iterator[Database]:
    """A migrated database of the test's own, in which nothing was ever published."""
    path = tmp_path / "test.db"
    shutil.copy(migrated_file, path)
    url = f"sqlite:///{path}"
    database = Database(create_engine(url, **database_options(url, threads=8)))
    yield database
    database.engine.dispose()


@pytest.fixture(scope="session")
def books() -> tuple[DemoBook, ...]:
    return make_books(100, seed=7)


@pytest.fixture
def open_site(books: tuple[DemoBook, ...]) -> Iterator[Callable[..., DemoSite]]:
    """Demonstration sites on loopback, each with its own faults."""
    with ExitStack() as sites:
        yield lambda **faults: sites.enter_context(DemoSite(books, Faults(**faults)))
