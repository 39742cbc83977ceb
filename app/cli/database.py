"""The database as commands meet it."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click
from sqlalchemy.exc import DBAPIError

from app.storage.database import Database

EXIT_NO_DATABASE = 2


@contextmanager
def usable(database: Database) -> Iterator[None]:
    """Exit with EXIT_NO_DATABASE, after a sentence, where the block meets no database of a shop."""
    file = database.engine.url.database if database.engine.dialect.name == "sqlite" else None
    if file is not None and not Path(file).exists():  # connecting would create an empty one
        click.echo(f"Não há banco de dados em {file}: inicie a loja uma vez.")
        raise SystemExit(EXIT_NO_DATABASE)
    try:
        yield
    except DBAPIError as error:
        click.echo(f"O banco de dados não pôde ser lido: {error.orig}. A loja já foi iniciada uma vez?")
        raise SystemExit(EXIT_NO_DATABASE) from None
