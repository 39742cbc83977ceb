"""A shop whose database has its tables, as `flask db upgrade` leaves it, and that nothing has prepared."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from app.factory import create_app
from tests.conftest import close
from tests.support.contract import ContractClient
from tests.support.databases import Databases
from tests.support.shop import make_settings


@pytest.fixture
def unprepared(tmp_path: Path, databases: Databases, migrated_url: str) -> Iterator[FlaskClient]:
    url = databases.copy(migrated_url, tmp_path)
    app = create_app(make_settings(tmp_path, database_url=url))
    app.test_client_class = ContractClient
    yield app.test_client()
    close(app)
    databases.drop(url)


@pytest.mark.parametrize("path", ["/health", "/api/v1/health", "/api/v1/books", "/readyz"])
def test_it_is_unavailable_and_says_what_to_do(unprepared: FlaskClient, path: str) -> None:
    refused = unprepared.get(path)
    assert refused.status_code == 503
    said = refused.get_json()["detail"]
    assert "python run.py" in said or said == "O catálogo não foi carregado."
