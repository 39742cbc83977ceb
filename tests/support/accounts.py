"""Users as an older release stored them: names in any spelling, several times."""

from __future__ import annotations

import unicodedata

import flask_migrate
from flask import Flask
from sqlalchemy import text

from app.services.passwords import Passwords
from app.shop import Shop

BEFORE = "0005"
"""The last migration before names were unique."""
COMPOSED = unicodedata.normalize("NFC", "josé")
DECOMPOSED = unicodedata.normalize("NFD", "josé")
LONELY = unicodedata.normalize("NFD", "éva")
USERS = ("Admin", DECOMPOSED, COMPOSED, "JOSÉ", LONELY, "maria")


def upgrade_with_doubles(app: Flask) -> None:
    """Give an application of the newest release the users of an older one, whose passwords are their names."""
    shop: Shop = app.extensions["shop"]
    with app.app_context():
        flask_migrate.downgrade(revision=BEFORE)
    with shop.database.writing() as session:
        for username in USERS:
            session.execute(
                text(
                    "INSERT INTO usuario (username, password, papel, criado_em) "
                    "VALUES (:username, :password, 'operador', '2026-01-01 00:00:00')"
                ),
                {"username": username, "password": Passwords(shop.settings)._hasher.hash(username)},
            )
    with app.app_context():
        flask_migrate.upgrade()
