from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from app.storage.batches import write_rows
from app.storage.database import Database
from app.storage.models import BookRow, MovementRow

COLUMNS = (
    "id", "title", "price_excl_tax", "price_incl_tax", "stock", "category", "rating", "image_url", "description",
    "upc", "source_url", "listed",
)  # fmt: skip
NOW = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)


def row(number: int, title: str = "A Light", price: float = 51.77) -> tuple[object, ...]:
    return number, title, price, price, 5, "Poetry", 3, "i", "d", f"upc-{number}", "u", number % 2 == 0


def test_more_rows_than_fit_a_statement_arrive_as_they_are(database: Database) -> None:
    titles = ['"“Quotes”"', "tab\tline\n", "Ação 😀", "null", "[1]", ""]
    prices = [0.0, 0.01, 10.1, 99999999.99]
    with database.writing() as session:
        write_rows(session, BookRow, COLUMNS, (row(n, titles[n % 6], prices[n % 4]) for n in range(2_500)))
    with database.reading() as session:
        stored = session.scalars(select(BookRow).order_by(BookRow.id)).all()
    assert [book.title for book in stored] == [titles[n % 6] for n in range(2_500)]
    assert [book.price_incl_tax for book in stored] == [Decimal(f"{prices[n % 4]:.2f}") for n in range(2_500)]
    assert {(book.listed, book.id % 2) for book in stored} == {(True, 0), (False, 1)}


def test_a_row_takes_the_place_of_the_one_with_its_id_only_where_that_is_asked_for(
    database: Database,
) -> None:
    with database.writing() as session:
        write_rows(session, BookRow, COLUMNS, [row(1), row(2)])
        write_rows(session, BookRow, COLUMNS, [row(2, "Another"), row(3)], replace=True)
        titles = session.scalars(select(BookRow.title).order_by(BookRow.id)).all()
    assert titles == ["A Light", "Another", "A Light"]
    with pytest.raises(IntegrityError), database.writing() as session:
        write_rows(session, BookRow, COLUMNS, [row(3)])


def test_constants_are_the_same_in_each_row_and_no_rows_are_no_statement(database: Database) -> None:
    with database.writing() as session:
        rows = [(1, 5), (2, -3)]
        write_rows(session, MovementRow, ("book_id", "quantity"), rows, {"reason": "contagem", "at": NOW})
        write_rows(session, MovementRow, ("book_id", "quantity"), [], {"reason": "contagem", "at": NOW})
    with database.reading() as session:
        stored = session.scalars(select(MovementRow).order_by(MovementRow.id)).all()
    assert [(m.book_id, m.quantity, m.reason, m.at) for m in stored] == [
        (1, 5, "contagem", NOW),
        (2, -3, "contagem", NOW),
    ]
