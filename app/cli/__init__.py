"""Commands for operators: `flask <command>` in the project's folder."""

from flask import Flask

from app.cli.audit import run_audit


def register_commands(app: Flask) -> None:
    app.cli.add_command(run_audit)
