"""What must be true before the first request: the database is current, filled and without dead runs."""

from __future__ import annotations

import logging
import os
import secrets
from dataclasses import replace
from pathlib import Path
from typing import Final

from alembic import command
from flask import Flask
from sqlalchemy import text

from app.services.publish_catalogue import publish_demonstration
from app.settings import SAMPLE_ADMIN_PASSWORD, Settings
from app.shop import Shop
from app.storage.books import DEMONSTRATION
from app.storage.database import Database
from app.storage.exports import export_catalogue, export_is_stale

log = logging.getLogger(__name__)

DEMONSTRATION_CSV: Final = Path(__file__).parent.parent / "data" / "catalogo_demo.csv"
_MIGRATION_LOCK = 7_301_206


def prepare(app: Flask) -> None:
    """Make the database of `app` ready to serve; safe to run in many processes at once, and again."""
    shop: Shop = app.extensions["shop"]
    _upgrade(app, shop.database)
    shop.accounts.ensure_admin(
        shop.settings.admin_password, replaces=SAMPLE_ADMIN_PASSWORD if shop.settings.production else None
    )
    publish_demonstration(shop.database, DEMONSTRATION_CSV)
    shop.scrapes.bury_the_dead()
    shop.scrapes.write_status()
    catalogue = shop.catalogue.refresh()
    if export_is_stale(shop.settings.data_dir, catalogue):
        export_catalogue(shop.settings.data_dir, catalogue)
    if catalogue.publication.origin == DEMONSTRATION:
        log.warning("serving_the_demonstration_catalogue: run a scrape to replace it")


def with_own_secret(settings: Settings) -> Settings:
    """`settings` with a JWT secret, made once and kept in the data directory where none was given."""
    if settings.jwt_secret_key:
        return settings
    path = settings.data_dir / ".jwt_secret"
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return replace(settings, jwt_secret_key=path.read_text().strip())
    secret = secrets.token_hex(32)
    with os.fdopen(handle, "w") as file:
        file.write(secret)
    return replace(settings, jwt_secret_key=secret)


def _upgrade(app: Flask, database: Database) -> None:
    """Apply the migrations in one transaction, which is also the lock between starting processes."""
    with app.app_context(), database.writing_connection() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _MIGRATION_LOCK})
        config = app.extensions["migrate"].migrate.get_config()
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
