"""A shop copied from one database to another."""

from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Connection, inspect
from sqlalchemy.orm import Session

from app.storage.audit import find_mismatches
from app.storage.copies import (
    TABLES,
    Content,
    clear_tables,
    copy_table,
    keep_waiting,
    read_content,
    reset_sequences,
)
from app.storage.database import MIGRATION_WITHIN_S, Database
from app.storage.schema import known_revisions, revision_of, upgrade


class CopyRefused(Exception):
    """The copy can't be made; the message is for the operator."""


@dataclass(frozen=True, slots=True)
class TableCopy:
    name: str
    source: Content
    target: Content


@dataclass(frozen=True, slots=True)
class CopyReport:
    """What was compared; the mismatches are the audit's, of each side."""

    tables: tuple[TableCopy, ...]
    source_mismatches: list[str]
    target_mismatches: list[str]

    @property
    def equal(self) -> bool:
        return self.source_mismatches == self.target_mismatches and all(
            table.source == table.target for table in self.tables
        )


class CopyDiffers(Exception):
    """What arrived is not what was sent; nothing of it was kept."""

    def __init__(self, report: CopyReport) -> None:
        super().__init__("the copy differs")
        self.report = report


def copy_database(source: Database, target: Database) -> CopyReport:
    """Copy one consistent view of `source`, beside a running shop or not, into an empty database.

    All is one transaction in `target`, which therefore stays empty where the copy breaks off. Raises CopyRefused,
    CopyDiffers, or sqlalchemy's DBAPIError.
    """
    with source.reading(MIGRATION_WITHIN_S) as reader, target.writing_connection() as connection:
        if inspect(connection).get_table_names():
            raise CopyRefused("O destino não está vazio: crie um banco de dados novo para a cópia.")
        origin = reader.connection()
        for side in (origin, connection):
            keep_waiting(side)
        _require_tables_of_this_release(origin)
        upgrade(connection)
        clear_tables(connection)
        report = _copy(origin, connection)
        if not report.equal:
            raise CopyDiffers(report)
    return report


def _require_tables_of_this_release(connection: Connection) -> None:
    if revision_of(connection) != known_revisions()[0]:
        raise CopyRefused("O banco de origem não tem as tabelas desta versão: inicie a loja uma vez com ela.")


def _copy(source: Connection, target: Connection) -> CopyReport:
    sent = [copy_table(source, target, table) for table in TABLES]
    reset_sequences(target)
    tables = (
        TableCopy(table.name, content, read_content(target, table))
        for table, content in zip(TABLES, sent, strict=True)
    )
    now = datetime.now(UTC)
    return CopyReport(tuple(tables), *(_mismatches(side, now) for side in (source, target)))


def _mismatches(connection: Connection, now: datetime) -> list[str]:
    with Session(connection) as session:
        return sorted(find_mismatches(session, now))
