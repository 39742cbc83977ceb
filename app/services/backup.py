"""Backups of a shop, which are SQLite files wherever its database is, and their return."""

import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from sqlalchemy import URL, create_engine

from app.services.copy_database import CopyRefused, copy_database
from app.storage.audit import find_mismatches
from app.storage.database import Database, database_options
from app.storage.schema import known_revisions, revision_of, upgrade
from app.storage.sqlite_files import copy_file, find_faults, held_alone, put_in_place, seal
from app.storage.stock import skip_stock_versions
from operating_system import WINDOWS

_BEFORE_ANY_ORDER = datetime(1970, 1, 1, tzinfo=UTC)
"""The audit's time for a backup, whose unpaid orders are not late: the shop reconciles them when it starts."""
_RUNNING = "A loja está em execução: pare todos os seus processos antes de restaurar."


def back_up(database: Database, file: Path) -> list[str]:
    """Write the shop as it is now into a new file, beside a running shop or not, and check the file.

    Returns the audit's mismatches. Raises CopyRefused, CopyDiffers, DBAPIError, sqlite3.Error or OSError, and leaves no
    file.
    """
    if file.exists():
        raise CopyRefused(f"{file} já existe: escolha outro nome.")
    with _scratch_file(file) as copy:
        if database.file is not None:
            copy_file(database.file, copy)
        else:
            with opened_file(copy) as target:
                copy_database(database, target)
        _require_sound(copy)
        with opened_file(copy) as written, written.reading() as session:
            if revision_of(session.connection()) != known_revisions()[0]:
                raise CopyRefused("O banco não tem as tabelas desta versão: inicie a loja uma vez com ela.")
            mismatches = find_mismatches(session, datetime.now(UTC))
        seal(copy)
        put_in_place(copy, file)
    return mismatches


def restore(backup: Path, database: Database) -> Path | None:
    """Put a backup, of this release or an older one, in the place of the shop's database, once it is checked.

    Returns where the old database is now. A PostgreSQL database has to be empty. Raises what `back_up` raises.
    """
    if not backup.is_file():
        raise CopyRefused(f"{backup} não existe.")
    in_file = database.file is not None
    file = database.file or backup
    file.parent.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack, ExitStack() as hold:
        if in_file and file.exists() and not hold.enter_context(held_alone(file)):
            raise CopyRefused(_RUNNING)
        copy = stack.enter_context(_scratch_file(file))
        copy_file(backup, copy)
        _require_sound(copy)
        with opened_file(copy) as restored:
            _make_ready(restored)
            if not in_file:
                copy_database(restored, database)
                return None
        seal(copy)
        old = file.with_name(f"{file.stem}-antes-de-{datetime.now(UTC):%Y%m%d-%H%M%S}{file.suffix}")
        if WINDOWS:
            hold.close()  # a file that is open can't be replaced there
        return put_in_place(copy, file, old)


@contextmanager
def opened_file(file: Path) -> Iterator[Database]:
    """Open a SQLite file as a shop's database."""
    url = URL.create("sqlite", database=str(file.absolute()))
    engine = create_engine(url, **database_options(str(url), threads=1))
    try:
        yield Database(engine)
    finally:
        engine.dispose()


def _make_ready(database: Database) -> None:
    """Apply the migrations that a backup lacks, and audit it. Raises CopyRefused."""
    with database.writing_connection() as connection:
        if revision_of(connection) not in known_revisions():
            raise CopyRefused("O arquivo não é um backup desta loja, ou é de uma versão mais nova.")
        upgrade(connection)
    with database.reading() as session:
        mismatches = find_mismatches(session, _BEFORE_ANY_ORDER)
    if mismatches:
        raise CopyRefused("\n".join(["O backup se contradiz, e nada foi trocado:", *mismatches]))
    with database.writing() as session:
        skip_stock_versions(session)


def _require_sound(file: Path) -> None:
    try:
        faults = find_faults(file)
    except sqlite3.DatabaseError as error:
        faults = [str(error)]
    if faults:
        raise CopyRefused("\n".join(["O arquivo está danificado:", *faults[:20]]))


@contextmanager
def _scratch_file(beside: Path) -> Iterator[Path]:
    """Yield an empty file on the disk of `beside`, which only its owner reads, and whose folder ends with the block."""
    with TemporaryDirectory(dir=beside.absolute().parent, prefix=".livraria-") as folder:
        file = Path(folder) / "livraria.db"
        file.touch(mode=0o600)
        yield file
