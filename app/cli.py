"""Commands for operators, as `flask <command>` in the project's folder."""

from __future__ import annotations

import click
from flask import Flask

from app.services.audit import audit
from app.shop import Shop

EXIT_MISMATCH = 1


def register_commands(app: Flask) -> None:
    @app.cli.command("audit")
    def run_audit() -> None:
        """Check the stock, its ledger and the orders; exits 1 where something is off, and names it."""
        shop: Shop = app.extensions["shop"]
        mismatches = audit(shop.database, shop.metrics)
        for mismatch in mismatches:
            click.echo(mismatch)
        if mismatches:
            raise SystemExit(EXIT_MISMATCH)
        click.echo("Auditoria: tudo confere.")
