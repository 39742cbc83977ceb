from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import text

from app.services.catalogue import publish_crawl
from app.storage.catalogue_store import CatalogueStore, NothingPublished
from app.storage.database import Database
from app.storage.polled import CHECK_EVERY_S
from tests.support.books import LIMITS, make_crawl, make_scraped
from tests.unit.storage.conftest import Clock


@pytest.fixture
def publish(database: Database) -> Callable[[int], None]:
    def publish_stock(stock: int) -> None:
        with database.writing() as session:
            books = [make_scraped(str(number), stock=stock) for number in range(50)]
            publish_crawl(session, make_crawl(*books), LIMITS, "https://shop.invalid/")

    return publish_stock


def test_there_is_no_catalogue_before_the_first_publication(database: Database) -> None:
    with pytest.raises(NothingPublished, match="preparada"):
        CatalogueStore(database).current()


def test_a_store_finds_what_was_published_before_it_was_built(
    database: Database, publish: Callable[[int], None]
) -> None:
    publish(1)
    assert CatalogueStore(database).current().book(0).stock == 1


def test_another_store_sees_a_publication_at_its_next_check(
    database: Database, publish: Callable[[int], None], clock: Clock
) -> None:
    publish(1)
    ours, theirs = CatalogueStore(database), CatalogueStore(database)
    assert ours.current().book(0).stock == theirs.current().book(0).stock == 1
    publish(2)
    assert ours.refresh().book(0).stock == 2
    clock.now += CHECK_EVERY_S
    assert theirs.current().book(0).stock == 1
    clock.now += 0.001
    assert theirs.current().book(0).stock == 2


def test_an_unchanged_catalogue_is_not_built_again(
    database: Database, publish: Callable[[int], None], clock: Clock
) -> None:
    publish(1)
    store = CatalogueStore(database)
    first = store.current()
    clock.now += 10 * CHECK_EVERY_S
    publish(1)
    assert store.current() is first
    assert store.refresh() is first


def test_a_snapshot_in_hand_stays_what_it_was(
    database: Database, publish: Callable[[int], None], clock: Clock
) -> None:
    publish(1)
    store = CatalogueStore(database)
    in_hand = store.current()
    publish(2)
    store.refresh()
    assert in_hand.book(0).stock == 1


def test_readers_go_on_with_what_they_have_while_the_database_is_broken(
    database: Database, publish: Callable[[int], None], clock: Clock
) -> None:
    publish(1)
    store = CatalogueStore(database)
    store.current()
    with database.writing() as session:
        session.execute(text("ALTER TABLE catalogo RENAME TO elsewhere"))
    clock.now += 10 * CHECK_EVERY_S
    assert store.current().book(0).stock == 1
    with database.writing() as session:
        session.execute(text("ALTER TABLE elsewhere RENAME TO catalogo"))
    publish(2)
    assert store.current().book(0).stock == 1
    clock.now += 10 * CHECK_EVERY_S
    assert store.current().book(0).stock == 2


def test_no_reader_ever_sees_half_a_publication(
    database: Database, publish: Callable[[int], None], clock: Clock
) -> None:
    publish(0)
    store = CatalogueStore(database)
    stop = threading.Event()

    def read() -> set[tuple[int, int]]:
        mixed: set[tuple[int, int]] = set()
        while not stop.is_set():
            clock.now += 1
            catalogue = store.current()
            stocks = set(catalogue.books()["stock"].tolist())
            if len(stocks) != 1 or stocks != {catalogue.publication.version - 1}:
                mixed.add((catalogue.publication.version, len(stocks)))
        return mixed

    with ThreadPoolExecutor(3) as pool:
        readers = [pool.submit(read) for _ in range(3)]
        try:
            for stock in range(1, 8):
                publish(stock)
        finally:
            stop.set()
        assert [reader.result(10) for reader in readers] == [set(), set(), set()]
