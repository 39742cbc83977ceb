"""`flask import`."""

from pathlib import Path

import click
from flask.cli import with_appcontext

from app.cli.database import EXIT_MISMATCH, database_errors, existing_database, refuse
from app.core.catalogue_import import ImportReport
from app.core.errors import FaultyImport, ImportRefused, ShopError
from app.services.import_run import read_file
from app.web.context import shop
from scraper.csv_table import BookTable

BY_COMMAND = "flask import"
"""Who started a run that no user did."""


@click.command("import")
@click.argument("arquivo", type=click.Path(path_type=Path, dir_okay=False, exists=True))
@click.option("--ensaio", is_flag=True, help="Só diz o que mudaria.")
@click.option("--parcial", is_flag=True, help="Publica as linhas sem falhas, e mantém os livros que faltam.")
@with_appcontext
def run_import(arquivo: Path, *, ensaio: bool, parcial: bool) -> None:
    """Replace the catalogue by a CSV file; exits 1 where it is refused, 2 where it can't be read."""
    existing_database()
    shop().trainings.stop()  # which the shop does, where it runs: this process ends before a training would
    try:
        with database_errors():
            _import(arquivo, rehearsal=ensaio, partial=parcial)
    except FaultyImport as error:
        if error.table is not None:
            _show_faults(error.table)
        if not isinstance(error, ImportRefused):
            refuse(error.detail)
        click.echo(error.detail, err=True)
        raise SystemExit(EXIT_MISMATCH) from None
    except ShopError as error:
        refuse(error.detail)
    except OSError as error:
        refuse(f"Não foi possível: {error}")


def _import(file: Path, *, rehearsal: bool, partial: bool) -> None:
    settings, scrapes = shop().settings, shop().scrapes
    size = file.stat().st_size
    if size > settings.import_max_bytes:
        refuse(f"{file} tem {size} bytes, acima do limite de {settings.import_max_bytes} (IMPORT_MAX_BYTES).")
    table = read_file(file.read_bytes(), settings.scraper_max_price)
    if rehearsal:
        report = scrapes.rehearse_import(table, partial=partial)
    else:
        report = scrapes.import_books(table, BY_COMMAND, file.name, partial=partial)
    _show_faults(table)
    _show_report(table, report, rehearsal=rehearsal)
    if report.blocker is not None:
        click.echo(f"Seria recusado: {report.blocker}", err=True)
        raise SystemExit(EXIT_MISMATCH)


def _show_faults(table: BookTable) -> None:
    for fault in table.faults:
        click.echo(f"{fault.place}: {fault.reason}")
    if table.fault_count > len(table.faults):
        click.echo(f"... e mais {table.fault_count - len(table.faults)} falhas.")


def _show_report(table: BookTable, report: ImportReport, *, rehearsal: bool) -> None:
    counts = ", ".join(f"{kind} {len(books)}" for kind, books in report.changes.items())
    click.echo(f"Linhas aceitas: {len(table.books)}; recusadas: {len(table.faulty_lines)}.")
    click.echo(f"{'O que mudaria' if rehearsal else 'O que mudou'}: {counts}.")
    click.echo(f"Versão do catálogo: {report.version}{', como antes do ensaio' if rehearsal else ''}.")
