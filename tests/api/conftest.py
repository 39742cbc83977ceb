from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.core.runs import RunStatus
from app.factory import create_app
from app.observability.logs.formatters import JsonFormatter
from app.services import training_run
from app.services.catalogue import publish_crawl
from app.shop import Shop
from demo.site.server import DemoSite
from ml.__main__ import main as trainer_main
from scraper.book import ScrapedBook
from tests.conftest import ADMIN, close
from tests.support.books import TRUSTING, make_crawl, make_scraped
from tests.support.commands import run
from tests.support.contract import ContractClient
from tests.support.databases import ReadyShop
from tests.support.orders import place_order
from tests.support.scraping_client import ScrapingClient
from tests.support.training import copy_model, train, write_trainer
from tests.support.training_texts import text_of

SITE = "https://shop.invalid/"


@pytest.fixture(scope="session")
def reader(ready_shop: ReadyShop, tmp_path_factory: pytest.TempPathFactory) -> Iterator[FlaskClient]:
    """A client of one shop that all tests share, only for requests that change nothing."""
    with open_shop(ready_shop, tmp_path_factory.mktemp("shared") / "data") as app:
        yield app.test_client()


@pytest.fixture(scope="session")
def as_reader(reader: FlaskClient) -> dict[str, str]:
    """The header of a logged-in operator of the shared shop."""
    tokens = reader.post("/api/v1/auth/login", json=ADMIN).get_json()
    operator = {"username": "leitora", "password": "12345"}
    as_admin = {"Authorization": f"Bearer {tokens['access_token']}"}
    reader.post("/api/v1/auth/newuser", json=operator, headers=as_admin)
    tokens = reader.post("/api/v1/auth/login", json=operator).get_json()
    return {"Authorization": f"Bearer {tokens['access_token']}"}


@contextmanager
def open_shop(ready_shop: ReadyShop, data_dir: Path) -> Iterator[Flask]:
    """Open a shop with SIX_BOOKS on sale, on a data directory and a database of its own."""
    with ready_shop.copied(data_dir) as settings:
        app = create_app(settings)
        app.test_client_class = ContractClient
        publish(app, SIX_BOOKS)
        yield app
        close(app)


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
        publish_crawl(session, make_crawl(*books), TRUSTING, SITE)
    shop.catalogue.refresh()


@pytest.fixture(scope="session")
def model_files(reader: FlaskClient, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the three files that `python -m ml` makes of SIX_BOOKS, made without that process."""
    folder = tmp_path_factory.mktemp("model")
    data = folder / "livros.json"
    data.write_bytes(reader.get("/api/v1/ml/training-data").data)
    texts = folder / "textos.ndjson"
    texts.write_text("".join(json.dumps(text_of(*pair)) + "\n" for pair in enumerate(SIX_BOOKS)))
    assert trainer_main([str(data), "--out", str(folder), "--textos", str(texts)]) == 0
    return folder


@pytest.fixture
def order_id(client: FlaskClient, six_books: None) -> str:
    """Place an order of two of 22 copies of book 0, and of one copy of book 3."""
    order_id: str = place_order(client, (0, 2), (3, 1))["order_id"]
    return order_id


@pytest.fixture
def backup(app: Flask, client: FlaskClient, six_books: None, tmp_path: Path) -> Path:
    """A backup of a shop with one order of two copies of book 0."""
    place_order(client, (0, 2))
    file = tmp_path / "backup.db"
    code, told = run(app, "backup", file)
    assert code == 0, told
    return file


@pytest.fixture(scope="session")
def trained(
    ready_shop: ReadyShop, model_files: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[FlaskClient]:
    """A client of one shop that trained on SIX_BOOKS, for `operadora`; only for requests that change nothing."""
    folder = tmp_path_factory.mktemp("trained")
    with open_shop(ready_shop, folder / "data") as app:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(training_run, "TRAINER", (write_trainer(folder, copy_model(model_files)),))
            run = train(app.extensions["shop"], "operadora")
        assert run.status is RunStatus.DONE, run.reason
        yield app.test_client()


@pytest.fixture
def trainer_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Replaces the trainer by a line of shell, as `write_trainer` does."""

    def replace(line: str) -> None:
        monkeypatch.setattr(training_run, "TRAINER", (write_trainer(tmp_path, line),))

    return replace


@pytest.fixture
def quick_training(model_files: Path, trainer_is: Callable[[str], None]) -> str:
    """Every training of the test leaves `model_files`, at once; the value is the line of shell that does."""
    line = copy_model(model_files)
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


@pytest.fixture
def connect(make_app: Callable[..., Flask]) -> Callable[..., ScrapingClient]:
    def open_client(site: DemoSite, **settings: Any) -> ScrapingClient:
        return ScrapingClient(make_app(scraper_base_url=site.base_url, **settings))

    return open_client
