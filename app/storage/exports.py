"""Files for people and for the seeds' clients, beside the database, each replaced in one step."""

import csv
import io
from pathlib import Path

from app.core.catalogue import Catalogue
from app.storage.atomic_write import replace_file

CSV_NAME = "livros.csv"
STATUS_NAME = "scraping_status.txt"
_KEYS = ("categoria", "disponibilidade", "preco_com_taxa", "preco_sem_taxa", "rating", "titulo", "url_imagem")


def export_catalogue(data_dir: Path, catalogue: Catalogue) -> None:
    """Write `livros.csv` with the seed system's seven columns, in its order."""
    text = io.StringIO()
    writer = csv.DictWriter(text, _KEYS)
    writer.writeheader()
    for row, image_url in zip(catalogue.training_rows(), catalogue.books()["image_url"], strict=True):
        prices = {key: f"{row[key]:.2f}" for key in ("preco_com_taxa", "preco_sem_taxa")}
        writer.writerow(row | prices | {"url_imagem": image_url})
    replace_file(data_dir / CSV_NAME, text.getvalue().encode())


def export_is_stale(data_dir: Path, catalogue: Catalogue) -> bool:
    """Return whether a crash kept `livros.csv` from following the last publication."""
    try:
        written = (data_dir / CSV_NAME).stat().st_mtime
    except FileNotFoundError:
        return True
    return written < catalogue.publication.published_at.timestamp()


def write_scraping_status(data_dir: Path, word: str) -> None:
    """Write the `status` of `GET /api/v1/scraping/status` into `scraping_status.txt`."""
    replace_file(data_dir / STATUS_NAME, word.encode())
