"""Commands for operators: `flask <command>` in the project's folder."""

from flask import Flask

from app.cli.audit import run_audit
from app.cli.catalogue_import import run_import
from app.cli.data import run_backup, run_copy, run_restore
from app.cli.users import users


def register_commands(app: Flask) -> None:
    for command in (run_audit, run_copy, run_backup, run_restore, run_import, users):
        app.cli.add_command(command)
