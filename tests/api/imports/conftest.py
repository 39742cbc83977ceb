from __future__ import annotations

from pathlib import Path

import pytest
from flask import Flask

from tests.support.catalogue_csv import scraper_csv
from tests.support.imports import MANY, ImportClient


@pytest.fixture
def client(app: Flask) -> ImportClient:
    return ImportClient(app)


@pytest.fixture
def stocked(client: ImportClient, tmp_path: Path) -> ImportClient:
    """A client of a shop that sells MANY."""
    client.load(scraper_csv(tmp_path, MANY))
    return client
