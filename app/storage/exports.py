"""Files for people and for the seeds' clients, beside the database. Readers never see half of one."""

from __future__ import annotations

import csv
import io
from pathlib import Path

from app.core.catalogue import Catalogue
from app.storage.atomic_write import replace_file

CSV_NAME = "livros.csv"
STATUS_NAME = "scraping_status.txt"


def export_catalogue(data_dir: Path, catalogue: Catalogue) -> None:
    """Write `livros.csv` with the seed system's seven columns, in its order."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(
        ("categoria", "disponibilidade", "preco_com_taxa", "preco_sem_taxa", "rating", "titulo", "url_imagem")
    )
    frame = catalogue.books()
    writer.writerows(
        (category, stock, f"{incl / 100:.2f}", f"{excl / 100:.2f}", rating, title, image_url)
        for category, stock, incl, excl, rating, title, image_url in zip(
            frame["category"],
            frame["stock"],
            frame["pence_incl_tax"],
            frame["pence_excl_tax"],
            frame["rating"],
            frame["title"],
            frame["image_url"],
            strict=True,
        )
    )
    replace_file(data_dir / CSV_NAME, text.getvalue().encode())


def export_is_stale(data_dir: Path, catalogue: Catalogue) -> bool:
    """Whether a crash kept `livros.csv` from following the last publication."""
    try:
        written = (data_dir / CSV_NAME).stat().st_mtime
    except FileNotFoundError:
        return True
    return written < catalogue.publication.published_at.timestamp()


def write_scraping_status(data_dir: Path, word: str) -> None:
    """Write the word that `GET /api/v1/scraping/status` answers into `scraping_status.txt`."""
    replace_file(data_dir / STATUS_NAME, word.encode())
