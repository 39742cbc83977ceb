"""`flask audit`."""

from pathlib import Path

import click
from flask.cli import with_appcontext
from sqlalchemy.exc import DBAPIError

from app.services.audit import audit
from app.web.context import shop

EXIT_MISMATCH = 1
EXIT_NOT_READ = 2


@click.command("audit")
@with_appcontext
def run_audit() -> None:
    """Check the stock, its ledger and the orders; exits 1 where something is off, which it names."""
    database = shop().database
    file = database.engine.url.database if database.engine.dialect.name == "sqlite" else None
    if file is not None and not Path(file).exists():  # connecting would create an empty one
        click.echo(f"Não há banco de dados em {file}: inicie a loja uma vez.")
        raise SystemExit(EXIT_NOT_READ)
    try:
        mismatches = audit(database, shop().metrics)
    except DBAPIError as error:
        click.echo(f"O banco de dados não pôde ser lido: {error.orig}. A loja já foi iniciada uma vez?")
        raise SystemExit(EXIT_NOT_READ) from None
    for mismatch in mismatches:
        click.echo(mismatch)
    if mismatches:
        raise SystemExit(EXIT_MISMATCH)
    click.echo("Auditoria: tudo confere.")
