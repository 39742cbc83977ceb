"""Files of books, as tests write and break them."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from app.core.catalogue import Catalogue
from app.storage.exports import export_catalogue
from scraper.book import ScrapedBook
from scraper.csv_file import write_books
from scraper.csv_table import SEED_COLUMNS


def scraper_csv(folder: Path, books: Iterable[ScrapedBook]) -> bytes:
    """Return what `python -m scraper --out` writes of `books`."""
    write_books(folder / "books.csv", books)
    return (folder / "books.csv").read_bytes()


def exported_csv(folder: Path, catalogue: Catalogue) -> bytes:
    """Return `livros.csv` as it would be written now."""
    export_catalogue(folder, catalogue)
    return (folder / "livros.csv").read_bytes()


def seed_rows(count: int) -> list[dict[str, str]]:
    """Return the rows of so many books, in the seed system's columns."""
    return [
        {
            "categoria": f"Category {place % 10}",
            "disponibilidade": str(place % 30),
            "preco_com_taxa": f"{10 + place % 50}.99",
            "preco_sem_taxa": f"{10 + place % 50}.99",
            "rating": str(place % 5 + 1),
            "titulo": f"Book {place}",
            "url_imagem": f"https://shop.invalid/{place}.jpg",
        }
        for place in range(count)
    ]


def as_csv(rows: Iterable[Mapping[str, str]], columns: Iterable[str] = SEED_COLUMNS) -> bytes:
    text = io.StringIO()
    writer = csv.DictWriter(text, list(columns), lineterminator="\n", extrasaction="ignore")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


FAULTS: dict[str, tuple[str | None, Callable[[bytes], bytes]]] = {
    "a missing value": ("titulo", lambda row: swap(row, 5, b" ")),
    "a price with a comma": ("preco_com_taxa", lambda row: swap(row, 2, b'"51,77"')),
    "a negative price": ("preco_com_taxa", lambda row: swap(row, 2, b"-51.77")),
    "a price with three decimals": ("preco_sem_taxa", lambda row: swap(row, 3, b"10.999")),
    "a price beyond all others": ("preco_com_taxa", lambda row: swap(row, 2, b"9" * 12 + b".99")),
    "a price that is none": ("preco_com_taxa", lambda row: swap(row, 2, b"NaN")),
    "a price above the gate's": ("preco_com_taxa", lambda row: swap(row, 2, b"1000.01")),
    "no tax at all": ("preco_sem_taxa", lambda row: swap(row, 3, b"999.99")),
    "a negative stock": ("disponibilidade", lambda row: swap(row, 1, b"-1")),
    "half a copy": ("disponibilidade", lambda row: swap(row, 1, b"1.5")),
    "a sixth star": ("rating", lambda row: swap(row, 4, b"6")),
    "stars in words": ("rating", lambda row: swap(row, 4, b"Three")),
    "too few columns": (None, lambda row: b",".join(row.split(b",")[:6])),
    "too many columns": (None, lambda row: row + b",x"),
    "a NUL": ("titulo", lambda row: swap(row, 5, b"Bo\x00ok")),
    "a control character": ("categoria", lambda row: swap(row, 0, b"Fic\x1btion")),
    "a line break in a title": ("titulo", lambda row: swap(row, 5, b'"Bo\nok"')),
    "what is not UTF-8": ("titulo", lambda row: swap(row, 5, b"Cora\xe7\xe3o")),
    "an image that is no address": ("url_imagem", lambda row: swap(row, 6, b"cover.jpg")),
    "an image that is a script": ("url_imagem", lambda row: swap(row, 6, b"javascript:alert(1)")),
    "an overlong title": ("titulo", lambda row: swap(row, 5, b"x" * 1_001)),
    "an overlong category": ("categoria", lambda row: swap(row, 0, b"x" * 201)),
    "a quote that does not end": (None, lambda row: swap(row, 5, b'"Book')),
    "a quote in the middle": (None, lambda row: swap(row, 5, b'"Bo"ok')),
}
"""What may be wrong with a row, with the column that is named, and how it comes about."""


def swap(row: bytes, column: int, value: bytes) -> bytes:
    values = row.split(b",")
    return b",".join((*values[:column], value, *values[column + 1 :]))
