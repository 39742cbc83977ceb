from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import flask_migrate
import pytest
from sqlalchemy import create_engine

from app import create_app
from app.shop import Shop
from app.storage.database import Database, database_options
from tests.support.shop import make_settings


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
