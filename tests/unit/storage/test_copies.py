from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import Connection, insert

from app.storage import copies
from app.storage.copies import TABLES, Content, clear_tables, copy_table, read_content
from app.storage.database import Database
from app.storage.models import SimulatedPaymentRow, TrainingRow

NOW = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)


def content_of(*rows: tuple[Any, ...]) -> Content:
    content = Content()
    for row in rows:
        content.add(row)
    return content


def test_the_order_of_the_rows_makes_no_difference() -> None:
    one, other = (1, "Ação", Decimal("1.10")), (2, "b", None)
    assert content_of(one, other) == content_of(other, one)
    assert len(content_of(one, other).digest) == 64


@pytest.mark.parametrize(
    "changed",
    [
        [(1, "a")],
        [(1, "a"), (2, "c")],
        [(1, "a"), (1, "a")],
        [(1, "a"), ("2", "b")],
        [(1, "a"), (2, None)],
        [(1, "a"), (2, "b"), (2, "b")],
        [(1, "b"), (2, "a")],
    ],
)
def test_any_change_of_a_row_makes_a_difference(changed: list[tuple[Any, ...]]) -> None:
    assert content_of((1, "a"), (2, "b")) != content_of(*changed)


@pytest.mark.parametrize(
    "value", [Decimal("1.00"), NOW, b"\x00\xff", {"b": [1.5], "a": None}, True, None, "\n"]
)
def test_every_kind_of_value_counts(value: object) -> None:
    assert content_of((1, value)) == content_of((1, value))
    assert content_of((1, value)) != content_of((1, "other"))


def test_rows_of_each_kind_arrive_as_they_were_however_small_the_batches_are(
    database: Database, monkeypatch: pytest.MonkeyPatch, other_database: Database
) -> None:
    monkeypatch.setattr(copies, "_ROWS_AT_ONCE", 3)
    with database.writing() as session:
        session.execute(
            insert(SimulatedPaymentRow),
            [{"reference": f"r{n}", "outcome": "approved", "at": NOW} for n in range(10)],
        )
        for number in range(3):
            session.add(
                TrainingRow(
                    status="done", started_by="x", started_at=NOW, catalogue_version=1, holder="h", expires_at=NOW,
                    card={"z": [0.1, number], "a": None}, digest="d", artefact=bytes(range(256)) * number,
                )
            )  # fmt: skip
    with both(database, other_database) as (source, target):
        sent = {table.name: copy_table(source, target, table) for table in TABLES}
        arrived = {table.name: read_content(target, table) for table in TABLES}
    assert sent == arrived
    assert (sent["pagamento_simulado"].rows, sent["modelo_treino"].rows) == (10, 3)


@contextmanager
def both(source: Database, target: Database) -> Iterator[tuple[Connection, Connection]]:
    with source.reading() as session, target.writing_connection() as connection:
        clear_tables(connection)
        yield session.connection(), connection
