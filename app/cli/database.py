"""The shop's database, as commands use it."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

import click
from sqlalchemy.exc import DBAPIError

from app.storage.database import Database
from app.web.context import shop

EXIT_MISMATCH = 1
EXIT_NOT_READ = 2


def existing_database() -> Database:
    """Return the shop's database; exit 2 where there is none yet."""
    database = shop().database
    if database.file is not None and not database.file.exists():  # connecting would create an empty one
        refuse(f"Não há banco de dados em {database.file}: inicie a loja uma vez.")
    return database


def refuse(sentence: str) -> NoReturn:
    """Say why nothing was done, and exit 2."""
    click.echo(sentence, err=True)
    raise SystemExit(EXIT_NOT_READ)


@contextmanager
def database_errors() -> Iterator[None]:
    """Turn what a database says into a sentence, and exit 2."""
    try:
        yield
    except DBAPIError as error:
        refuse(f"O banco de dados não pôde ser usado: {error.orig}. A loja já foi iniciada uma vez?")
