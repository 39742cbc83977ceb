"""Alembic's way into the shop's database."""

from pathlib import Path

from alembic import context
from flask import current_app
from sqlalchemy import Connection

from app.storage.database import begin

db = current_app.extensions["migrate"].db


def migrate_on(connection: Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=db.metadata,
        # SQLite can't alter a table: Alembic builds a new one and moves the rows.
        render_as_batch=True,
        compare_type=True,
    )
    with context.begin_transaction():
        context.run_migrations()


given: Connection | None = context.config.attributes.get("connection")
if given is not None:
    migrate_on(given)
else:
    if db.engine.dialect.name == "sqlite":
        Path(db.engine.url.database).parent.mkdir(parents=True, exist_ok=True)
    with db.engine.begin() as own:
        begin(own, "BEGIN IMMEDIATE")
        migrate_on(own)
