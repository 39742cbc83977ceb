"""Three replicas of four workers each, which share nothing but a PostgreSQL database."""

from __future__ import annotations

import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import requests

from app.factory import create_app
from app.services.audit import audit
from app.services.catalogue import publish_crawl
from app.shop import Shop
from app.storage.stock import reserved_copies
from demo.site.books import make_books
from demo.site.faults import Faults
from demo.site.server import DemoSite
from scraper.book import ScrapedBook
from tests.e2e.conftest import create_database
from tests.support.books import TRUSTING, make_crawl, make_scraped
from tests.support.buyers import buy_together
from tests.support.orders import API_KEY, order_for, wait_until
from tests.support.server import Server
from tests.support.shop import make_settings

REPLICAS, WORKERS = 3, 4
BUYERS, COPIES = 600, 50
SEEN_WITHIN_S = 1.0
"""The time in which every worker shows what another one changed."""
CONNECTIONS = 3 * WORKERS
"""New connections to a replica, so that most of its workers respond to one."""


@pytest.fixture(scope="module")
def site() -> Iterator[DemoSite]:
    """A slow site, so that a scrape takes a while."""
    with DemoSite(make_books(100, seed=7), Faults(latency_s=0.02)) as site:
        yield site


@pytest.fixture(scope="module")
def replicas(
    tmp_path_factory: pytest.TempPathFactory, postgresql: str, site: DemoSite
) -> Iterator[list[Server]]:
    database_url = create_database(postgresql)
    with ExitStack() as servers:
        yield [
            servers.enter_context(
                Server(
                    tmp_path_factory.mktemp(f"replica-{number}") / "data",
                    DATABASE_URL=database_url,
                    WEB_WORKERS=str(WORKERS),
                    WEB_THREADS="4",
                    JWT_SECRET_KEY="the same secret of all three replicas",
                    SCRAPER_BASE_URL=site.base_url,
                    SCRAPER_MAX_VANISHED_SHARE="1",
                )
            )
            for number in range(REPLICAS)
        ]


@pytest.fixture
def shop(replicas: list[Server], tmp_path: Path) -> Iterator[Shop]:
    """The shop of the replicas, looked at from here."""
    app = create_app(make_settings(tmp_path, database_url=replicas[0].environment["DATABASE_URL"]))
    shop: Shop = app.extensions["shop"]
    yield shop
    shop.stop()
    shop.database.engine.dispose()


@pytest.fixture
def one_book(shop: Shop, replicas: list[Server]) -> Shop:
    """COPIES of one book are on sale at every replica, and no other book."""
    publish(shop)
    wait_until(
        lambda: all(
            [book["disponibilidade"] for book in books] == [COPIES]
            for books in everywhere(replicas, "/api/v1/books")
        )
    )
    return shop


def publish(shop: Shop, *others: ScrapedBook) -> None:
    """Put COPIES of one book on sale, beside those that earlier tests sold, and `others`."""
    with shop.database.writing() as session:
        sold = sum(reserved_copies(session, datetime.now(UTC)).values())
        book = make_scraped("wanted", stock=COPIES + sold, price="12.34")
        publish_crawl(session, make_crawl(book, *others), TRUSTING, "http://shop.invalid/")


def everywhere(replicas: list[Server], path: str) -> list[Any]:
    """Return the response to a GET over several new connections to each replica."""
    return [replica.get(path).json() for replica in replicas for _ in range(CONNECTIONS)]


def at_once(*calls: Callable[[], requests.Response]) -> Counter[int]:
    """Make the calls together, and count the statuses."""
    together = threading.Barrier(len(calls))

    def run(call: Callable[[], requests.Response]) -> int:
        together.wait(20)
        return call().status_code

    with ThreadPoolExecutor(len(calls)) as pool:
        return Counter(pool.map(run, calls))


def test_more_buyers_than_copies_buy_exactly_the_copies(replicas: list[Server], one_book: Shop) -> None:
    responses = buy_together([replica.url for replica in replicas], [{}] * BUYERS)
    assert Counter(response.status_code for response in responses) == {201: COPIES, 409: BUYERS - COPIES}
    assert len({r.json()["order_id"] for r in responses if r.status_code == 201}) == COPIES
    wait_until(
        lambda: all(book["disponibilidade"] == 0 for book in everywhere(replicas, "/api/v1/books/0")),
        SEEN_WITHIN_S,
    )
    assert audit(one_book.database, one_book.metrics) == []


def test_requests_with_one_key_at_all_replicas_make_one_order(replicas: list[Server], one_book: Shop) -> None:
    urls = [replica.url for replica in replicas]
    responses = buy_together(urls, [{"Idempotency-Key": "the same everywhere"}] * 60)
    placed = {response.text for response in responses if response.status_code == 201}
    assert {response.status_code for response in responses} <= {201, 409}
    assert len(placed) == 1
    again = buy_together(urls, [{"Idempotency-Key": "the same everywhere"}] * REPLICAS)
    assert {(response.status_code, response.text) for response in again} == {(201, *placed)}


def test_of_triggers_at_all_replicas_one_wins_and_all_show_its_books(
    replicas: list[Server], one_book: Shop, site: DemoSite
) -> None:
    headers = [replica.log_in() for replica in replicas]
    path = "/api/v1/scraping/trigger"
    statuses = at_once(
        *(partial(replica.post, path, header) for replica, header in zip(replicas, headers, strict=True))
    )
    assert statuses == {202: 1, 409: REPLICAS - 1}
    assert replicas[0].wait_for_scrape()["status"] == "done"
    wait_until(
        lambda: all(len(books) == 100 for books in everywhere(replicas, "/api/v1/books")), SEEN_WITHIN_S
    )


def test_a_logout_at_one_replica_holds_at_all(replicas: list[Server]) -> None:
    header = replicas[0].log_in()
    path = "/api/v1/scraping/runs"
    assert {r.get(path, headers=header).status_code for r in replicas for _ in range(CONNECTIONS)} == {200}
    assert replicas[1].post("/api/v1/auth/logout", header).status_code == 204
    assert {r.get(path, headers=header).status_code for r in replicas for _ in range(CONNECTIONS)} == {401}


def test_a_publication_shows_at_every_worker_within_a_second(replicas: list[Server], one_book: Shop) -> None:
    before = one_book.catalogue.refresh().publication.version
    publish(one_book, make_scraped("new", stock=1, price="1.00"))
    published_at = time.monotonic()
    while any(len(books) == 1 for books in everywhere(replicas, "/api/v1/books")):
        assert time.monotonic() - published_at < SEEN_WITHIN_S + 1
    assert one_book.catalogue.refresh().publication.version == before + 1


def test_a_replica_that_is_killed_loses_no_order_that_it_acknowledged(
    replicas: list[Server], one_book: Shop
) -> None:
    victim, *others = replicas
    acknowledged: list[str] = []
    stopping = threading.Event()

    def buy_and_cancel(replica: Server, session: requests.Session) -> None:
        body = order_for((0, 1), payment={"token": "tok_approved"})
        response = session.post(f"{replica.url}/orders", json=body, headers=API_KEY, timeout=20)
        if response.status_code == 201:
            acknowledged.append(response.json()["order_id"])
            path = f"{replica.url}/orders/{acknowledged[-1]}/status"
            session.put(path, json={"status": "cancelled"}, headers=API_KEY, timeout=20)

    def go_on(replica: Server) -> None:
        with requests.Session() as session, suppress(requests.ConnectionError):  # of the one that is killed
            while not stopping.is_set():
                buy_and_cancel(replica, session)

    with ThreadPoolExecutor(9) as pool:
        buying = [pool.submit(go_on, replica) for replica in replicas for _ in range(3)]
        wait_until(lambda: len(acknowledged) > 60)
        victim.end(signal.SIGKILL, workers_too=True)
        after = len(acknowledged)
        wait_until(lambda: len(acknowledged) > after + 60)
        stopping.set()
        for future in buying:
            future.result(60)
    found = {order_id: others[0].get(f"/orders/{order_id}").status_code for order_id in acknowledged}
    assert set(found.values()) == {200}
    victim.start()  # it reconciles what it left
    wait_until(lambda: audit(one_book.database, one_book.metrics) == [])
