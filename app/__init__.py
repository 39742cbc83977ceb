"""The bookstore's application; `app.factory` wires it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flask import Flask


def create_app() -> Flask:
    """Create the application, where `flask --app app` looks for it; loads nothing before it is called.

    Raises NoAppException, which the command shows without a trace, where the settings can't be used.
    """
    from flask.cli import NoAppException

    from app.factory import create_app as create
    from app.settings import InvalidSettings

    try:
        return create()
    except InvalidSettings as error:
        raise NoAppException(str(error)) from None
