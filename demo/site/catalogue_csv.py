"""Write data/catalogo_demo.csv, what a crawl of the demonstration shop yields: `python -m demo.site.catalogue_csv`.

Its URLs lie under a reserved top-level domain (RFC 2606), as the host does not exist.
"""

import csv
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TextIO

from demo.site.books import DemoBook, make_books

BASE_URL = "https://livraria-demo.invalid"
PATH = Path(__file__).parents[2] / "data" / "catalogo_demo.csv"
COLUMNS = (
    "categoria", "disponibilidade", "preco_com_taxa", "preco_sem_taxa", "rating", "titulo", "url_imagem",
    "upc", "url_produto", "descricao",
)  # fmt: skip


def write_catalogue(file: TextIO, books: Iterable[DemoBook]) -> None:
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(COLUMNS)
    for book in books:
        writer.writerow(
            (
                book.category,
                book.stock,
                f"{book.price_incl_tax:.2f}",
                f"{book.price_excl_tax:.2f}",
                book.rating,
                book.title,
                BASE_URL + book.image_path,
                book.upc,
                BASE_URL + book.path,
                book.description,
            )
        )


def main() -> int:
    with PATH.open("w", encoding="utf-8", newline="") as file:
        write_catalogue(file, make_books())
    return 0


if __name__ == "__main__":
    sys.exit(main())
