"""The catalogue as a CSV file: the seed system's seven columns in its order, then three of our own."""

import csv
import os
import re
import tempfile
from collections.abc import Iterable
from decimal import Decimal
from pathlib import Path

from scraper.book import ScrapedBook

COLUMNS = (
    "categoria", "disponibilidade", "preco_com_taxa", "preco_sem_taxa", "rating", "titulo", "url_imagem",
    "upc", "url_produto", "descricao",
)  # fmt: skip
_REQUIRED = frozenset(COLUMNS) - {"descricao"}
_PRICE = re.compile(r"\d{1,9}\.\d{2}", re.ASCII)
_STOCK = re.compile(r"\d{1,9}", re.ASCII)
_RATING = re.compile(r"[1-5]", re.ASCII)
_FORMATS = {"preco_com_taxa": _PRICE, "preco_sem_taxa": _PRICE, "disponibilidade": _STOCK, "rating": _RATING}
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
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.reader(file, strict=True)
        try:
            header = tuple(next(reader, ()))
            if header != COLUMNS:
                raise ValueError(f"{path}: linha 1: as colunas deveriam ser {','.join(COLUMNS)}")
            return [_book(f"{path}: linha {reader.line_num}", row) for row in reader]
        except (csv.Error, UnicodeDecodeError) as error:
            raise ValueError(f"{path}: linha {reader.line_num + 1}: {error}") from error


def _book(line: str, row: list[str]) -> ScrapedBook:
    if len(row) != len(COLUMNS):
        raise ValueError(f"{line}: {len(row)} colunas em vez de {len(COLUMNS)}")
    values = dict(zip(COLUMNS, row, strict=True))
    for column, value in values.items():
        if column in _REQUIRED and not value.strip():
            raise ValueError(f"{line}, coluna {column}: vazia")
        if column in _FORMATS and not _FORMATS[column].fullmatch(value):
            raise ValueError(f"{line}, coluna {column}: valor inválido {value[:60]!r}")
    return ScrapedBook(
        url=values["url_produto"],
        upc=values["upc"],
        title=values["titulo"],
        category=values["categoria"],
        price_excl_tax=Decimal(values["preco_sem_taxa"]),
        price_incl_tax=Decimal(values["preco_com_taxa"]),
        stock=int(values["disponibilidade"]),
        rating=int(values["rating"]),
        image_url=values["url_imagem"],
        description=values["descricao"],
    )
