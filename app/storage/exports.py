"""Files for people and for the seeds' clients, beside the database, each replaced in one step."""

import csv
import io
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from app.core.catalogue import Catalogue
from app.storage.atomic_write import replace_file

CSV_NAME = "livros.csv"
STATUS_NAME = "scraping_status.txt"
_ROWS_AT_ONCE = 1_000
_COLUMNS = (
    "categoria",
    "disponibilidade",
    "preco_com_taxa",
    "preco_sem_taxa",
    "rating",
    "titulo",
    "url_imagem",
)


def export_catalogue(data_dir: Path, catalogue: Catalogue) -> None:
    """Write `livros.csv` with the seed system's seven columns, in its order."""
    replace_file(data_dir / CSV_NAME, _csv_parts(catalogue))


def _csv_parts(catalogue: Catalogue) -> Iterator[bytes]:
    rows = _rows(catalogue)
    batch: list[tuple[str | int, ...]] = [_COLUMNS]
    while batch:
        text = io.StringIO()
        csv.writer(text).writerows(batch)
        yield text.getvalue().encode()
        batch = list(islice(rows, _ROWS_AT_ONCE))


def _rows(catalogue: Catalogue) -> Iterator[tuple[str | int, ...]]:
    columns = catalogue.base.columns
    return zip(
        map(list(columns.categories).__getitem__, columns.category_codes),
        catalogue.all_stocks().tolist(),
        map(_amount, columns.pence_incl_tax),
        map(_amount, columns.pence_excl_tax),
        columns.ratings,
        columns.titles,
        columns.image_urls,
        strict=True,
    )


def _amount(pence: int) -> str:
    return f"{pence // 100}.{pence % 100:02}"


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
