from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Column, Integer, MetaData, Table, insert, select
from sqlalchemy.engine import Connection

from app.storage.columns import Money, UtcTime
from app.storage.database import Database, begin

SHELF = Table(
    "shelf",
    MetaData(),
    Column("id", Integer, primary_key=True),
    Column("price", Money),
    Column("at", UtcTime),
)
MANY = settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture
def connection(database: Database) -> Iterator[Connection]:
    with database.engine.connect() as connection:
        begin(connection, "BEGIN")
        SHELF.metadata.create_all(connection)
        yield connection


def kept(connection: Connection, column: str, value: object) -> object:
    """`value` as the database gives it back."""
    key = connection.execute(insert(SHELF).values({column: value})).inserted_primary_key
    assert key is not None
    return connection.scalar(select(SHELF.c[column]).where(SHELF.c.id == key[0]))


@given(cents=st.integers(0, 9_999_999_999))
@MANY
def test_any_amount_that_fits_the_column_survives_to_the_penny(connection: Connection, cents: int) -> None:
    amount = Decimal(cents).scaleb(-2)
    found = kept(connection, "price", amount)
    assert isinstance(found, Decimal)
    assert (found, found.as_tuple().exponent) == (amount, -2)


@pytest.mark.parametrize("amount", ["0.00", "0.01", "0.29", "1.15", "34.39", "51.77", "99999999.99"])
def test_amounts_that_floats_cannot_hold_survive(connection: Connection, amount: str) -> None:
    assert str(kept(connection, "price", Decimal(amount))) == amount


def test_no_amount_stays_no_amount(connection: Connection) -> None:
    assert kept(connection, "price", None) is None
    assert kept(connection, "at", None) is None


ZONES = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))


@given(at=st.datetimes(datetime(1900, 1, 1), datetime(2200, 1, 1), timezones=ZONES))  # noqa: DTZ001
@MANY
def test_any_moment_comes_back_as_the_same_moment_in_utc(connection: Connection, at: datetime) -> None:
    found = kept(connection, "at", at)
    assert isinstance(found, datetime)
    assert found == at
    assert found.tzinfo is UTC
