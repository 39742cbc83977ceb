"""`flask db-copy`, `flask backup` and `flask restore`."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click
from flask.cli import with_appcontext
from sqlalchemy import create_engine

from app.cli.database import EXIT_MISMATCH, database_errors, existing_database, refuse
from app.services.backup import back_up, restore
from app.services.copy_database import CopyDiffers, CopyRefused, CopyReport, copy_database
from app.settings import InvalidSettings, read_settings
from app.storage.database import Database, database_options
from app.web.context import shop

FILE = click.Path(path_type=Path, dir_okay=False)


def _url(_context: click.Context, _parameter: click.Parameter, value: str) -> str:
    if not value:
        raise click.BadParameter("deve nomear um banco de dados")
    try:
        return read_settings({"DATABASE_URL": value}).database_url
    except InvalidSettings as error:
        raise click.BadParameter(error.problems[0]) from None


@click.command("db-copy")
@click.option(
    "--to", "url", required=True, callback=_url, help="sqlite:////caminho ou postgresql+psycopg://..."
)
@with_appcontext
def run_copy(url: str) -> None:
    """Copy the shop's database into an empty one, and compare the two; exits 1 where they differ."""
    source = existing_database()
    target = Database(create_engine(url, **database_options(url, threads=1)))
    with _failures():
        if target.file is not None:
            target.file.touch(mode=0o600)  # it will hold password hashes
        try:
            report = copy_database(source, target)
        finally:
            target.engine.dispose()
    _show(report)
    click.echo("Tudo confere: inicie a loja com DATABASE_URL no destino.")


@click.command("backup")
@click.argument("arquivo", type=FILE)
@with_appcontext
def run_backup(arquivo: Path) -> None:
    """Write the shop, which may be running, into a new file, and check that; exits 1 where the shop is off."""
    with _failures():
        mismatches = back_up(existing_database(), arquivo)
    for mismatch in mismatches:
        click.echo(mismatch)
    if mismatches:
        click.echo(f"{arquivo} está escrito, mas a loja que ele guarda se contradiz.", err=True)
        raise SystemExit(EXIT_MISMATCH)
    click.echo(f"{arquivo}: escrito e conferido, {arquivo.stat().st_size} bytes.")


@click.command("restore")
@click.argument("arquivo", type=FILE)
@with_appcontext
def run_restore(arquivo: Path) -> None:
    """Put a checked backup in the place of the database of the shop, which must not be running."""
    with _failures():
        old = restore(arquivo, shop().database)
    click.echo("Restaurado." if old is None else f"Restaurado; o banco anterior ficou em {old}.")


@contextmanager
def _failures() -> Iterator[None]:
    """Turn what can go wrong into a sentence, and exit 1 where a copy differs, or else 2."""
    try:
        with database_errors():
            yield
    except CopyDiffers as error:
        _show(error.report)
        click.echo("A cópia difere, e foi desfeita: o destino está vazio.", err=True)
        raise SystemExit(EXIT_MISMATCH) from None
    except CopyRefused as error:
        refuse(str(error))
    except (sqlite3.Error, OSError) as error:
        refuse(f"Não foi possível: {error}")


def _show(report: CopyReport) -> None:
    click.echo(f"{'tabela':<20} {'origem':>9} {'destino':>9}  {'conteúdo na origem':<18}  resultado")
    for table in report.tables:
        result = "igual" if table.source == table.target else "DIFERENTE"
        click.echo(
            f"{table.name:<20} {table.source.rows:>9} {table.target.rows:>9}  "
            f"{table.source.digest[:16]:<18}  {result}"
        )
    sides = len(report.source_mismatches), len(report.target_mismatches)
    result = "igual" if report.source_mismatches == report.target_mismatches else "DIFERENTE"
    click.echo(f"{'contradições':<20} {sides[0]:>9} {sides[1]:>9}  {'':<18}  {result}")
