"""How the stocks of a snapshot follow what orders sell."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from sqlalchemy import event, text
from sqlalchemy.orm import Session

from app.core.catalogue import Catalogue
from app.core.orders import Line
from app.services.catalogue import publish_crawl
from app.storage import stock
from app.storage.catalogue_store import CatalogueStore
from app.storage.database import Database
from tests.support.books import LIMITS, make_crawl, make_scraped


@pytest.fixture
def store(database: Database) -> CatalogueStore:
    with database.writing() as session:
        books = [make_scraped(str(number), stock=9) for number in range(50)]
        publish_crawl(session, make_crawl(*books), LIMITS, "https://shop.invalid/")
    store = CatalogueStore(database)
    store.refresh()
    return store


def move(database: Database, book_id: int, copies: int) -> int:
    """Sell `copies` of a book, or give them back; return the stock's version."""
    with database.writing() as session:
        take(session, book_id, copies)
        return stock.next_stock_version(session)


def take(session: Session, book_id: int, copies: int) -> None:
    session.execute(
        text("UPDATE livros SET disponibilidade = disponibilidade - :copies WHERE id = :id"),
        {"copies": copies, "id": book_id},
    )
    stock.record_movements(session, {book_id: -copies}, stock.Reason.RESERVED, datetime.now(UTC))


def test_a_snapshot_follows_each_sale_and_keeps_its_base(database: Database, store: CatalogueStore) -> None:
    first = store.current()
    for copies, (book_id, version) in enumerate(((3, 1), (49, 2), (3, 3)), start=1):
        assert move(database, book_id, copies) == version
        store.ensure_stock_version(version)
        assert store.current().publication.stock_version == version
    assert [store.current().stock(book_id) for book_id in (3, 49, 0)] == [5, 7, 9]
    assert store.current().base is first.base
    assert [first.stock(book_id) for book_id in (3, 49, 0)] == [9, 9, 9]


def test_sales_that_a_snapshot_missed_arrive_together(database: Database, store: CatalogueStore) -> None:
    for book_id in (1, 2, 1):
        move(database, book_id, 1)
    store.refresh()
    assert [store.current().stock(book_id) for book_id in (1, 2, 3)] == [7, 8, 9]


def test_stocks_that_could_not_be_shown_are_read_again(
    database: Database, store: CatalogueStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_arguments: object) -> None:
        raise MemoryError

    with monkeypatch.context() as short_of_memory:
        short_of_memory.setattr(Catalogue, "with_stocks", fail)
        with pytest.raises(MemoryError):
            store.ensure_stock_version(move(database, 3, 1))
    store.ensure_stock_version(move(database, 4, 1))
    assert [store.current().stock(book_id) for book_id in (3, 4)] == [8, 8]


def test_copies_of_a_book_that_left_the_shop_change_nothing(
    database: Database, store: CatalogueStore
) -> None:
    with database.writing() as session:
        books = [make_scraped(str(number), stock=9) for number in range(49)]
        publish_crawl(session, make_crawl(*books), LIMITS, "https://shop.invalid/")
    before = store.refresh()
    store.ensure_stock_version(move(database, 49, -2))
    assert len(store.current()) == 49
    assert store.current().base is before.base


@pytest.mark.postgresql_only("its transactions run side by side")
def test_a_sale_that_is_committed_after_a_later_one_is_not_missed(
    database: Database, store: CatalogueStore
) -> None:
    with database.writing() as early:
        take(early, 3, 1)
        store.ensure_stock_version(move(database, 4, 1))
        version = stock.next_stock_version(early)
    store.ensure_stock_version(version)
    assert [store.current().stock(book_id) for book_id in (3, 4)] == [8, 8]


@pytest.mark.sqlite_only(
    "PostgreSQL numbers movements in another order than it commits them, and reads all stocks"
)
def test_what_a_sale_costs_depends_neither_on_the_books_nor_on_earlier_sales(
    database: Database, store: CatalogueStore
) -> None:
    store.ensure_stock_version(move(database, 7, 1))
    version = move(database, 8, 1)
    executed: list[tuple[str, object]] = []
    event.listen(
        database.engine,
        "before_cursor_execute",
        lambda _connection, _cursor, statement, parameters, *_: executed.append((statement, parameters)),
    )
    store.ensure_stock_version(version)
    assert len(executed) == 3  # begin, the versions, the books moved
    with database.reading() as session:
        newest = session.execute(text("SELECT max(id) FROM estoque_movimento")).scalar_one()
    statement, parameters = executed[2]
    assert "estoque_movimento.id >" in statement
    assert parameters == (newest - 1,)


def test_an_order_of_several_books_is_one_change(database: Database, store: CatalogueStore) -> None:
    lines = [Line(4, 2), Line(6, 3)]
    with database.writing() as session:
        for line in lines:
            session.execute(
                text("UPDATE livros SET disponibilidade = disponibilidade - :n WHERE id = :id"),
                {"n": line.quantity, "id": line.product_id},
            )
        changes = {line.product_id: -line.quantity for line in lines}
        stock.record_movements(session, changes, stock.Reason.RESERVED, datetime.now(UTC))
        version = stock.next_stock_version(session)
    store.ensure_stock_version(version)
    assert [store.current().stock(book_id) for book_id in (4, 5, 6)] == [7, 9, 6]
