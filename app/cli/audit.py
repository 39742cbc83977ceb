"""`flask audit`."""

import click
from flask.cli import with_appcontext

from app.cli.database import usable
from app.services.audit import audit
from app.web.context import shop

EXIT_MISMATCH = 1


@click.command("audit")
@with_appcontext
def run_audit() -> None:
    """Check the stock, its ledger and the orders; exits 1 where something is off, which it names."""
    with usable(shop().database):
        mismatches = audit(shop().database, shop().metrics)
    for mismatch in mismatches:
        click.echo(mismatch)
    if mismatches:
        raise SystemExit(EXIT_MISMATCH)
    click.echo("Auditoria: tudo confere.")
