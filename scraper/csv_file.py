"""The catalogue as a CSV file: the seed system's seven columns in its order, then three of our own."""

import csv
import os
import tempfile
from collections.abc import Iterable
from pathlib import Path

from scraper.book import ScrapedBook
from scraper.csv_table import COLUMNS, UnreadableTable, read_table

_PERMISSIONS = 0o644
"""Wider than mkstemp's, which are for the owner alone: a catalogue is no secret."""


def write_books(path: Path, books: Iterable[ScrapedBook]) -> None:
    """Write `books` to `path`, which is replaced whole or, on any error, not at all. Raises OSError.

    UTF-8, RFC 4180 quoting, lines ended by a line feed, prices in pounds with 2 decimals.
    """
    descriptor, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(COLUMNS)
            writer.writerows(_row(book) for book in books)
            file.flush()
            os.fsync(descriptor)
        Path(temporary).chmod(_PERMISSIONS)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def _row(book: ScrapedBook) -> tuple[str, ...]:
    return (
        book.category,
        str(book.stock),
        f"{book.price_incl_tax:.2f}",
        f"{book.price_excl_tax:.2f}",
        str(book.rating),
        book.title,
        book.image_url,
        book.upc,
        book.url,
        book.description,
    )


def read_books(path: Path) -> list[ScrapedBook]:
    """Read the books in the order of the file. Raises OSError, or ValueError naming the line and the column."""
    try:
        table = read_table(path.read_bytes())
    except UnreadableTable as error:
        raise ValueError(f"{path}: linha {error.line}: {error}") from error
    if table.columns != set(COLUMNS):
        raise ValueError(f"{path}: linha 1: as colunas deveriam ser {','.join(COLUMNS)}")
    for fault in table.faults:
        raise ValueError(f"{path}: {fault.place}: {fault.reason}")
    return list(table.books.values())
