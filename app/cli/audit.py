"""`flask audit`."""

import click
from flask.cli import with_appcontext

from app.cli.database import EXIT_MISMATCH, database_errors, existing_database
from app.services.audit import audit
from app.web.context import shop


@click.command("audit")
@with_appcontext
def run_audit() -> None:
    """Check the stock, its ledger and the orders; exits 1 where something is off, which it names."""
    database = existing_database()
    with database_errors():
        mismatches = audit(database, shop().metrics)
    for mismatch in mismatches:
        click.echo(mismatch)
    if mismatches:
        raise SystemExit(EXIT_MISMATCH)
    click.echo("Auditoria: tudo confere.")
