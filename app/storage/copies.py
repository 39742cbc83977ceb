"""All rows of a database written into another one, and compared."""

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, LargeBinary, Row, Table, delete, func, insert, select, text

from app.storage.columns import Base

TABLES: tuple[Table, ...] = tuple(Base.metadata.sorted_tables)
"""Every table, after those that it refers to."""
_ROWS_AT_ONCE = 1_000
_BLOBS_AT_ONCE = 2


@dataclass(slots=True)
class Content:
    """What a table holds: equal for the same rows in any order, since databases sort texts differently."""

    rows: int = 0
    _sum: int = 0

    def add(self, row: Sequence[Any]) -> None:
        encoded = json.dumps(list(row), sort_keys=True, default=_plain).encode()
        self.rows += 1
        self._sum = (self._sum + int.from_bytes(hashlib.sha256(encoded).digest(), "big")) % 2**256

    @property
    def digest(self) -> str:
        """The sum of the rows' SHA-256, in 64 hexadecimal digits."""
        return f"{self._sum:064x}"


def _plain(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, bytes):
        return hashlib.sha256(value).hexdigest()
    if isinstance(value, Decimal):
        return str(value)
    raise TypeError(f"no column holds a {type(value).__name__}")


def keep_waiting(connection: Connection) -> None:
    """Let this transaction do nothing for up to an hour, while the other database works."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SET LOCAL idle_in_transaction_session_timeout = '1h'"))


def clear_tables(connection: Connection) -> None:
    """Delete all rows, such as those that the migrations insert."""
    for table in reversed(TABLES):
        connection.execute(delete(table))


def copy_table(source: Connection, target: Connection, table: Table) -> Content:
    """Write the rows of `table` into the other database, ids included, and return what they were."""
    content = Content()
    for rows in _batches(source, table):
        target.execute(insert(table), [row._asdict() for row in rows])
        for row in rows:
            content.add(row)
    return content


def read_content(connection: Connection, table: Table) -> Content:
    content = Content()
    for rows in _batches(connection, table):
        for row in rows:
            content.add(row)
    return content


def reset_sequences(connection: Connection) -> None:
    """Let the ids that PostgreSQL gives out begin after the ones in its tables."""
    if connection.dialect.name != "postgresql":
        return
    for table in TABLES:
        column = table.autoincrement_column
        if column is not None:
            last = connection.scalar(select(func.max(column)))
            sequence = func.pg_get_serial_sequence(table.name, column.name)
            connection.execute(select(func.setval(sequence, last or 1, last is not None)))


def _batches(connection: Connection, table: Table) -> Iterator[Sequence[Row[Any]]]:
    """Yield the rows a few at a time, so that memory is bounded."""
    blobs = any(isinstance(column.type, LargeBinary) for column in table.columns)
    options = {"yield_per": _BLOBS_AT_ONCE if blobs else _ROWS_AT_ONCE}
    yield from connection.execute(select(table), execution_options=options).partitions()
