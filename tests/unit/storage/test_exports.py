from __future__ import annotations

import csv
import os
import time
from pathlib import Path

import pytest

from app.storage.atomic_write import replace_file
from app.storage.exports import export_catalogue, export_is_stale, write_scraping_status
from tests.support.books import PUBLICATION, make_book, make_catalogue

SEED_COLUMNS = [
    "categoria",
    "disponibilidade",
    "preco_com_taxa",
    "preco_sem_taxa",
    "rating",
    "titulo",
    "url_imagem",
]


def read(path: Path) -> list[list[str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file, strict=True))


def test_the_export_has_the_seeds_seven_columns_in_its_order(tmp_path: Path) -> None:
    export_catalogue(
        tmp_path, make_catalogue(make_book(0, title="A Light", category="Poetry", price="51.77"))
    )
    assert read(tmp_path / "livros.csv") == [
        SEED_COLUMNS,
        ["Poetry", "5", "51.77", "51.77", "3", "A Light", "https://i.invalid/0.jpg"],
    ]


def test_an_empty_catalogue_exports_its_heading(tmp_path: Path) -> None:
    export_catalogue(tmp_path, make_catalogue())
    assert read(tmp_path / "livros.csv") == [SEED_COLUMNS]


@pytest.mark.parametrize(
    "title", ['Quotes "and", commas', "line\nbreak", "carriage\rreturn", "Ação – “Olá” 😀", " spaces ", ""]
)
def test_any_title_comes_back_from_the_file(tmp_path: Path, title: str) -> None:
    export_catalogue(tmp_path, make_catalogue(make_book(0, title=title)))
    assert read(tmp_path / "livros.csv")[1][5] == title


@pytest.mark.parametrize("price", ["0.00", "0.05", "10.10", "34.39", "99999999.99"])
def test_prices_are_written_to_the_penny(tmp_path: Path, price: str) -> None:
    export_catalogue(tmp_path, make_catalogue(make_book(0, price=price)))
    assert read(tmp_path / "livros.csv")[1][2:4] == [price, price]


def test_a_file_is_replaced_whole_and_nothing_is_left_beside_it(tmp_path: Path) -> None:
    write_scraping_status(tmp_path, "processing")
    write_scraping_status(tmp_path, "done")
    assert (tmp_path / "scraping_status.txt").read_text() == "done"
    assert [path.name for path in tmp_path.iterdir()] == ["scraping_status.txt"]
    assert (tmp_path / "scraping_status.txt").stat().st_mode & 0o777 == 0o644


@pytest.mark.parametrize("step", ["fsync", "rename"])
def test_a_failing_write_leaves_the_old_file_and_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    path = tmp_path / "livros.csv"
    path.write_text("old")

    def fail(*_arguments: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(*((os, "fsync", fail) if step == "fsync" else (Path, "replace", fail)))
    with pytest.raises(OSError, match="No space"):
        replace_file(path, b"new")
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_an_export_is_stale_where_it_is_missing_or_older_than_the_publication(tmp_path: Path) -> None:
    catalogue = make_catalogue(make_book(0))
    assert export_is_stale(tmp_path, catalogue)
    export_catalogue(tmp_path, catalogue)
    assert not export_is_stale(tmp_path, catalogue)
    before = PUBLICATION.published_at.timestamp() - 1
    os.utime(tmp_path / "livros.csv", (time.time(), before))
    assert export_is_stale(tmp_path, catalogue)


def test_what_killed_processes_left_of_a_file_is_removed_unless_one_may_still_write_it(
    tmp_path: Path,
) -> None:
    path = tmp_path / "livros.csv"
    old, young, other = (
        tmp_path / name for name in (".livros.csv.abcdefgh", ".livros.csv.zyxwvuts", ".notes")
    )
    for leftover in (old, young, other):
        leftover.write_bytes(b"half")
    for leftover in (old, other):
        os.utime(leftover, (0, 0))
    replace_file(path, b"new")
    assert {file.name for file in tmp_path.iterdir()} == {path.name, young.name, other.name}
