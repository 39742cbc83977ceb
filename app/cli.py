"""Commands for operators: `flask <command>` in the project's folder."""

from pathlib import Path

import click
from flask import Flask
from sqlalchemy.exc import DBAPIError

from app.services.audit import audit
from app.shop import Shop

EXIT_MISMATCH = 1
EXIT_NOT_READ = 2


def register_commands(app: Flask) -> None:
    @app.cli.command("audit")
    def run_audit() -> None:
        """Check the stock, its ledger and the orders; exits 1 where something is off, which it names."""
        shop: Shop = app.extensions["shop"]
        file = shop.database.engine.url.database if shop.database.engine.dialect.name == "sqlite" else None
        if file is not None and not Path(file).exists():  # connecting would create an empty one
            click.echo(f"Não há banco de dados em {file}: inicie a loja uma vez.")
            raise SystemExit(EXIT_NOT_READ)
        try:
            mismatches = audit(shop.database, shop.metrics)
        except DBAPIError as error:
            click.echo(f"O banco de dados não pôde ser lido: {error.orig}. A loja já foi iniciada uma vez?")
            raise SystemExit(EXIT_NOT_READ) from None
        for mismatch in mismatches:
            click.echo(mismatch)
        if mismatches:
            raise SystemExit(EXIT_MISMATCH)
        click.echo("Auditoria: tudo confere.")
