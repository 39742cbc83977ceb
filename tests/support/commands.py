"""`flask` commands on the tests' shops."""

from __future__ import annotations

from flask import Flask


def run(app: Flask, *arguments: object) -> tuple[int, str]:
    """Return the exit code of a `flask` command, and what it said."""
    result = app.test_cli_runner().invoke(args=[str(argument) for argument in arguments])
    return result.exit_code, result.output
