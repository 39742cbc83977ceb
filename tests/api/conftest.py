from __future__ import annotations

import json
import logging
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.factory import create_app
from app.observability.logs.formatters import JsonFormatter
from app.services.catalogue import publish_crawl
from app.shop import Shop
from app.storage.model_files import artefact_path
from scraper.book import ScrapedBook
from tests.conftest import close
from tests.support.books import LIMITS, make_crawl, make_scraped
from tests.support.contract import ContractClient
from tests.support.shop import make_settings
from tests.support.training import train

SITE = "https://shop.invalid/"


@pytest.fixture(scope="session")
def reader(ready_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[FlaskClient]:
    """A client of one shop that all tests share, only for requests that change nothing."""
    app = open_shop(ready_data, tmp_path_factory.mktemp("shared") / "data")
    yield app.test_client()
    close(app)


def open_shop(ready_data: Path, data_dir: Path) -> Flask:
    """A shop with SIX_BOOKS on sale, on a data directory of its own."""
    shutil.copytree(ready_data, data_dir)
    app = create_app(make_settings(data_dir))
    app.test_client_class = ContractClient
    publish(app, SIX_BOOKS)
    return app


SAYS_WHAT_IT_WROTE = """
digest() { sha256sum < "$OUT/$1" | cut -d " " -f 1; }
printf '{"modelo.joblib": "%s", "ficha.json": "%s"}' "$(digest modelo.joblib)" "$(digest ficha.json)"
"""
SIX_BOOKS = [
    make_scraped("light", title="A Light in the Attic", category="Poetry", price="51.77", stock=22, rating=3),
    make_scraped(
        "velvet", title="Tipping the Velvet", category="Historical Fiction", price="53.74", rating=1
    ),
    make_scraped("doors", title="Behind Closed Doors", category="Thriller", price="52.22", rating=4),
    make_scraped(
        "nights", title="Tuesday Nights in 1980", category="Fiction", price="21.04", rating=4, stock=15
    ),
    make_scraped("acao", title="Ação & “Reação”", category="Fiction", price="34.38", rating=2, stock=0),
    make_scraped("cheap", title="Cheap", category="Poetry", price="10.00", rating=1),
]


@pytest.fixture
def six_books(app: Flask) -> None:
    """The test's own shop with SIX_BOOKS on sale."""
    publish(app, SIX_BOOKS)


def publish(app: Flask, books: list[ScrapedBook]) -> None:
    """Put `books` on sale, as a scrape would."""
    shop: Shop = app.extensions["shop"]
    with shop.database.writing() as session:
        publish_crawl(session, make_crawl(*books), LIMITS, SITE)
    shop.catalogue.refresh()


@pytest.fixture(scope="session")
def trained(ready_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[FlaskClient]:
    """A client of one shop that trained on SIX_BOOKS, for `operadora`; only for requests that change nothing."""
    app = open_shop(ready_data, tmp_path_factory.mktemp("trained") / "data")
    row = train(app.extensions["shop"], "operadora")
    assert row.status == "done", row.reason
    yield app.test_client()
    close(app)


@pytest.fixture
def trainer_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Puts a line of shell in the place of `python -m ml`; $OUT is the folder of its results."""
    program = tmp_path / "trainer"

    def replace(line: str) -> None:
        program.write_text(f'#!/bin/sh\nOUT="$5"\n{line}\n{SAYS_WHAT_IT_WROTE}\n')
        program.chmod(0o755)
        monkeypatch.setattr("app.services.training_run.sys.executable", str(program))

    return replace


@pytest.fixture
def quick_training(trained: FlaskClient, trainer_is: Callable[[str], None]) -> str:
    """Every training of the test leaves the model of the shop `trained`, at once; answers how."""
    shop: Shop = trained.application.extensions["shop"]
    model = artefact_path(shop.settings.data_dir, 1)
    line = f'cp "{model}" "$OUT/modelo.joblib" && cp "{model.with_suffix(".json")}" "$OUT/ficha.json"'
    trainer_is(line)
    return line


@pytest.fixture
def log_lines() -> Iterator[Callable[[], list[dict[str, Any]]]]:
    """What the shop logs while the test runs, as production writes it."""
    written: list[str] = []

    class Keep(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            written.append(self.format(record))

    handler = Keep()
    handler.setFormatter(JsonFormatter())
    shop_log = logging.getLogger("app")
    level = shop_log.level
    shop_log.addHandler(handler)
    shop_log.setLevel(logging.INFO)
    yield lambda: [json.loads(line) for line in written]
    shop_log.removeHandler(handler)
    shop_log.setLevel(level)
