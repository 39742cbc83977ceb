"""The bookstore's application; `app.factory` wires it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flask import Flask


def create_app() -> Flask:
    """Create the application, where `flask --app app` looks for it; loads nothing before it is called."""
    from app.factory import create_app as create

    return create()
