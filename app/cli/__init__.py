"""Commands for operators: `flask <command>` in the project's folder."""

from flask import Flask

from app.cli.audit import run_audit
from app.cli.users import users


def register_commands(app: Flask) -> None:
    app.cli.add_command(run_audit)
    app.cli.add_command(users)
