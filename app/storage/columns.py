"""The declarative base, and column types that databases store differently."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final

from sqlalchemy import DateTime, Dialect, MetaData, Numeric, TypeDecorator
from sqlalchemy.orm import DeclarativeBase

MAX_ID: Final = 2**31 - 1
"""The largest id that a column holds; PostgreSQL refuses to compare one with a larger number."""


class Base(DeclarativeBase):
    # Named constraints can be dropped and altered by a migration on every database.
    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


class Money(TypeDecorator[Decimal]):
    """Pounds with two decimals, exact on every database.

    SQLite stores NUMERIC as a float, whose 15 significant digits hold any amount that fits the column.
    """

    impl = Numeric
    cache_ok = True

    def __init__(self, digits: int = 10) -> None:
        super().__init__(digits, 2)
        self.digits = digits

    def load_dialect_impl(self, dialect: Dialect) -> Any:
        if dialect.name == "sqlite":
            return dialect.type_descriptor(Numeric(self.digits, 2, asdecimal=False))
        return dialect.type_descriptor(Numeric(self.digits, 2))

    def process_bind_param(self, value: Decimal | None, dialect: Dialect) -> Any:
        return float(value) if value is not None and dialect.name == "sqlite" else value

    def process_result_value(self, value: Any, dialect: Dialect) -> Decimal | None:
        return None if value is None else Decimal(f"{value:.2f}")


class UtcTime(TypeDecorator[datetime]):
    """An aware UTC time, which SQLite stores without a zone."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return None if value is None else value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
