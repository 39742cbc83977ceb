"""The bookstore's application; `app.factory` wires it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flask import Flask


def create_app() -> Flask:
    """Create the application, where `flask --app app` looks for it; loads nothing before it is called.

    For `flask run` it is ready to serve; other commands find the database as it is. Raises NoAppException, which the
    command shows without a trace, where the settings or the database can't be used.
    """
    import atexit
    import os

    import click
    from flask.cli import NoAppException

    from app.factory import create_app as create
    from app.secret import with_own_secret
    from app.settings import ENV_FILE, InvalidSettings, read_settings
    from app.start import NotStarted, start

    command = click.get_current_context(silent=True)
    try:
        settings = read_settings(os.environ, ENV_FILE)
        if command is None or command.info_name != "run":
            return create(settings)
        app = start(with_own_secret(settings))
        atexit.register(app.extensions["shop"].stop)
        return app
    except (InvalidSettings, NotStarted) as error:
        raise NoAppException(str(error)) from None
    except OSError as error:
        raise NoAppException(f"DATA_DIR não pode ser usado: {error.strerror}") from None
