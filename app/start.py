"""Preparation for the first request: migrate and fill the database, reap stale runs."""

import logging
import sys
from pathlib import Path
from typing import Final

from alembic.util import CommandError
from flask import Flask
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from app.core.catalogue import Catalogue
from app.factory import create_app
from app.observability.logs.handlers import configure_logging
from app.services.catalogue import publish_demonstration
from app.settings import SAMPLE_ADMIN_PASSWORD, Settings
from app.shop import Shop
from app.storage.catalogue import DEMONSTRATION
from app.storage.database import Database
from app.storage.exports import export_catalogue, export_is_stale
from app.storage.faults import SENTENCES, Fault, fault_of, reason_of
from app.storage.schema import revision_of, upgrade

log = logging.getLogger(__name__)

DEMONSTRATION_CSV: Final = Path(__file__).parent.parent / "data" / "catalogo_demo.csv"
_MIGRATION_LOCK = 7_301_206


class NotStarted(Exception):
    """The shop can't start; `reason` is a sentence, and what the database said."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)


def start(settings: Settings) -> Flask:
    """Return an application that is ready to serve, with its log and its background tasks. Raises NotStarted."""
    app = create_app(settings)
    shop: Shop = app.extensions["shop"]
    configure_logging(
        settings.log_level,
        readable=not settings.production and sys.stderr.isatty(),
        writer=shop.log_writer,
    )
    prepare(app)
    shop.catalogue_tasks.start()
    shop.order_tasks.start()
    shop.schedule_tasks.start()
    shop.audit_tasks.start()
    shop.model_tasks.start()
    return app


def prepare(app: Flask) -> None:
    """Make the database and the files of `app` ready to serve; many processes may do so at once, and again.

    Raises NotStarted where the database or the disk is to blame.
    """
    try:
        _prepare(app)
    except (SQLAlchemyError, OSError) as error:
        fault = fault_of(error)
        if fault is None:
            raise
        raise NotStarted(f"{SENTENCES[fault]} ({reason_of(error)})") from error


def _prepare(app: Flask) -> None:
    shop: Shop = app.extensions["shop"]
    _upgrade(app, shop.database)
    shop.accounts.ensure_admin(
        shop.settings.admin_password, production=shop.settings.production, sample=SAMPLE_ADMIN_PASSWORD
    )
    _warn(shop.settings)
    publish_demonstration(shop.database, DEMONSTRATION_CSV)
    shop.scrapes.reap_stale_runs()
    shop.trainings.reap_stale_runs()
    shop.schedule.adopt_environment()
    catalogue = shop.catalogue.refresh()
    _export(shop.settings.data_dir, catalogue)
    if catalogue.publication.origin == DEMONSTRATION:
        log.warning("serving_the_demonstration_catalogue")


def _warn(settings: Settings) -> None:
    """Name in the log what was allowed on purpose, and should not be forgotten."""
    if settings.production and settings.logs_public:
        log.warning("logs_are_public")
    if settings.jwt_secret_key_previous or settings.api_key_previous:
        log.warning("previous_keys_accepted")


def _export(data_dir: Path, catalogue: Catalogue) -> None:
    """Write `livros.csv` anew if it is stale; a full disk must not keep the shop from its customers."""
    try:
        if export_is_stale(data_dir, catalogue):
            export_catalogue(data_dir, catalogue)
    except OSError:
        log.exception("catalogue_not_exported")


def _upgrade(app: Flask, database: Database) -> None:
    """Apply the migrations in one transaction, which is also the lock between starting processes."""
    with app.app_context(), database.writing_connection() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _MIGRATION_LOCK})
        if revision_of(connection) is None:
            address = connection.engine.url.render_as_string(hide_password=True)
            log.warning("new_shop", extra={"url": address})  # on a disk that vanishes, at every start
        try:
            upgrade(connection)
        except CommandError as error:  # it knows no such revision
            raise NotStarted(f"{SENTENCES[Fault.OTHER_RELEASE]} ({error})") from error
