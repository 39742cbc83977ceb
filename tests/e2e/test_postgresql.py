"""The shop on PostgreSQL instead of SQLite."""

from __future__ import annotations

import os
import pwd
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import create_engine, text
from sqlalchemy.exc import OperationalError

from app.services.process_identity import own_identity
from app.shop import Shop
from app.start import prepare
from demo.books import DemoBook
from demo.site import DemoSite
from tests.e2e.test_scraping_job import Client
from tests.support.programs import need
from tests.support.server import free_port


@pytest.fixture(scope="module")
def postgresql(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a server of the test's own, with one empty database for each call of `database`."""
    program = need("postgres", debian_package="postgresql")
    initdb = str(Path(program).resolve().with_name("initdb"))
    folder = tmp_path_factory.mktemp("postgresql")
    port = free_port()
    as_postgres = _drop_root(folder)
    cluster = folder / "cluster"
    subprocess.run(
        [*as_postgres, initdb, "-D", str(cluster), "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync"],
        check=True, capture_output=True, cwd=folder,
    )  # fmt: skip
    options = ["-D", str(cluster), "-h", "127.0.0.1", "-p", str(port), "-k", str(folder), "-F"]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen([*as_postgres, program, *options], stdout=log, stderr=log, cwd=folder)
    url = f"postgresql+psycopg://postgres@127.0.0.1:{port}"
    try:
        _wait_until_it_answers(f"{url}/postgres", process, folder / "log")
        yield url
    finally:
        process.terminate()
        process.wait(20)


@pytest.fixture
def database_url(postgresql: str, request: pytest.FixtureRequest) -> str:
    name = f"shop_{abs(hash(request.node.name))}"
    engine = create_engine(f"{postgresql}/postgres", isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    engine.dispose()
    return f"{postgresql}/{name}"


def test_the_shop_starts_scrapes_and_publishes_on_postgresql(
    make_app: Callable[..., Flask],
    database_url: str,
    open_site: Callable[..., DemoSite],
    books: tuple[DemoBook, ...],
) -> None:
    site = open_site(error_rate=0.05)
    app = make_app(database_url=database_url, scraper_base_url=site.base_url)
    prepare(app)
    client = Client(app)
    assert len(client.get("/api/v1/books")) == 1000
    run = client.scrape()
    assert run["status"] == "done", run["motivo"]
    assert [book["titulo"] for book in client.get("/api/v1/books")] == [book.title for book in books]
    shown = client.get("/api/v1/books/5")
    assert shown["preco_com_taxa"] == float(books[5].price_incl_tax)
    assert client.scrape()["versao_publicada"] == run["versao_publicada"]


def test_processes_that_start_together_on_an_empty_database_prepare_it_once(
    make_app: Callable[..., Flask], database_url: str
) -> None:
    apps = [make_app(database_url=database_url) for _ in range(3)]
    crashes: list[BaseException] = []

    def start(app: Flask) -> None:
        try:
            prepare(app)
        except BaseException as error:
            crashes.append(error)

    starting = [threading.Thread(target=start, args=(app,)) for app in apps]
    for thread in starting:
        thread.start()
    for thread in starting:
        thread.join(60)
    assert crashes == []
    shop: Shop = apps[0].extensions["shop"]
    with shop.database.reading() as session:
        assert session.execute(text("SELECT count(*) FROM usuario")).scalar() == 1
        assert session.execute(text("SELECT versao FROM catalogo")).scalar() == 1


def test_of_many_triggers_at_once_one_wins(
    make_app: Callable[..., Flask], database_url: str, open_site: Callable[..., DemoSite]
) -> None:
    site = open_site(latency_s=0.05)
    first = make_app(database_url=database_url, scraper_base_url=site.base_url, scraper_concurrency=1)
    prepare(first)
    apps = [first] + [
        make_app(database_url=database_url, scraper_base_url=site.base_url, scraper_concurrency=1)
        for _ in range(3)
    ]
    clients = [Client(app) for app in apps]
    answers: list[int] = []
    together = threading.Barrier(len(clients))

    def trigger(client: Client) -> None:
        together.wait(20)
        answers.append(client.trigger())

    threads = [threading.Thread(target=trigger, args=(client,)) for client in clients]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(answers) == [202, 409, 409, 409]
    with first.extensions["shop"].database.reading() as session:
        assert session.execute(text("SELECT dono FROM scraping_trava")).scalar() == own_identity()


def _wait_until_it_answers(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    engine = create_engine(url)
    deadline = time.monotonic() + 30
    while True:
        assert time.monotonic() < deadline, log.read_text()
        try:
            engine.connect().close()
        except OperationalError:
            assert process.poll() is None, log.read_text()
        else:
            break
    engine.dispose()


def _drop_root(folder: Path) -> list[str]:
    """PostgreSQL refuses to run as root, as containers and CI do."""
    if os.geteuid() != 0:
        return []
    postgres: Any = pwd.getpwnam("postgres")
    for each in (folder, *folder.parents):
        if each.owner() == "root" and str(each).startswith("/tmp/"):
            each.chmod(each.stat().st_mode | 0o011)
    os.chown(folder, postgres.pw_uid, postgres.pw_gid)
    return ["setpriv", f"--reuid={postgres.pw_uid}", f"--regid={postgres.pw_gid}", "--clear-groups"]
