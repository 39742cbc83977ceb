"""The databases of the tests' shops: SQLite files, or databases of one PostgreSQL server."""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

from sqlalchemy import create_engine, make_url, text

from app.settings import Settings

ON_POSTGRESQL = os.environ.get("TEST_DATABASE") == "postgresql"
"""Whether the tests' shops are on PostgreSQL; on SQLite by default."""


class Databases(Protocol):
    """Makes, copies and drops databases, each known by its URL."""

    def create(self, folder: Path) -> str:
        """Return the URL of an empty database, a file in `folder` where it is SQLite's."""

    def copy(self, url: str, folder: Path) -> str:
        """Return the URL of a copy; nothing may be connected to the original."""

    def drop(self, url: str) -> None: ...


class SqliteDatabases:
    """Files, left for pytest to delete with their folders."""

    def create(self, folder: Path) -> str:
        return f"sqlite:///{folder}/livraria.db"

    def copy(self, url: str, folder: Path) -> str:
        shutil.copy(str(make_url(url).database), folder / "livraria.db")
        return self.create(folder)

    def drop(self, url: str) -> None:
        pass


class PostgresqlDatabases:
    """Databases of the server at `url`; a copy is a `CREATE DATABASE ... TEMPLATE`."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._engine = create_engine(f"{url}/postgres", isolation_level="AUTOCOMMIT")

    def create(self, folder: Path) -> str:
        return self._create("template1")

    def copy(self, url: str, folder: Path) -> str:
        return self._create(str(make_url(url).database))

    def drop(self, url: str) -> None:
        self._execute(f"DROP DATABASE {make_url(url).database} WITH (FORCE)")

    def close(self) -> None:
        self._engine.dispose()

    def _create(self, template: str) -> str:
        name = f"shop_{uuid.uuid4().hex}"
        self._execute(f"CREATE DATABASE {name} TEMPLATE {template}")
        return f"{self._url}/{name}"

    def _execute(self, statement: str) -> None:
        with self._engine.connect() as connection:
            connection.execute(text(statement))


@dataclass(frozen=True, slots=True)
class ReadyShop:
    """A shop as a first start leaves it; tests get copies."""

    settings: Settings
    databases: Databases

    @contextmanager
    def copied(self, data_dir: Path, **changes: Any) -> Iterator[Settings]:
        """Yield the settings of a copy with its files in `data_dir`, whose database ends with the block."""
        shutil.copytree(self.settings.data_dir, data_dir, ignore=shutil.ignore_patterns("livraria.db*"))
        url = self.databases.copy(self.settings.database_url, data_dir)
        yield replace(self.settings, data_dir=data_dir, database_url=url, **changes)
        self.databases.drop(url)
