from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from scraper.book import ScrapedBook
from scraper.csv_file import read_books, write_books

BOOK = ScrapedBook(
    url="http://shop.test/1",
    upc="90fa61229261140a",
    title='A "Quoted", Title; São Bento',
    category="Poetry",
    price_excl_tax=Decimal("10.00"),
    price_incl_tax=Decimal("12.5"),
    stock=0,
    rating=3,
    image_url="http://shop.test/1.svg",
    description="Two\nlines, “quotes” and\r\nmore",
)
BOOKS = [
    BOOK,
    replace(BOOK, upc="2", description=""),
    replace(BOOK, upc="3", price_incl_tax=Decimal("1234.50")),
]


def test_books_come_back_as_they_were_written(tmp_path: Path) -> None:
    write_books(tmp_path / "books.csv", BOOKS)
    assert read_books(tmp_path / "books.csv") == BOOKS


def test_the_file_begins_with_the_seven_columns_of_the_seed_and_has_two_decimals(tmp_path: Path) -> None:
    write_books(tmp_path / "books.csv", [replace(BOOK, title="T", description="")])
    assert (tmp_path / "books.csv").read_text(encoding="utf-8") == (
        "categoria,disponibilidade,preco_com_taxa,preco_sem_taxa,rating,titulo,url_imagem,upc,url_produto,descricao\n"
        "Poetry,0,12.50,10.00,3,T,http://shop.test/1.svg,90fa61229261140a,http://shop.test/1,\n"
    )


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "books.csv"
    write_books(path, BOOKS)
    before = path.read_bytes()

    def books() -> Iterator[ScrapedBook]:
        yield BOOK
        raise RuntimeError("out of books")

    with pytest.raises(RuntimeError):
        write_books(path, books())
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("categoria", "category", "linha 1: as colunas"),
        (",12.50,", ",12.555,", "linha 2, coluna preco_com_taxa: deve ser um preço"),
        (",10.00,", ",NaN,", "linha 2, coluna preco_sem_taxa"),
        ("Poetry,0,", "Poetry,-1,", "linha 2, coluna disponibilidade"),
        (",3,T,", ",6,T,", "linha 2, coluna rating"),
        (",3,T,", ",3,,", "linha 2, coluna titulo: vazia"),
        (",3,T,", ",3,T,T,", "linha 2: 11 colunas em vez de 10"),
        (",3,T,", ',3,"T,', "linha 2: aspas que não fecham"),
    ],
)
def test_an_invalid_value_is_named_by_line_and_column(
    tmp_path: Path, old: str, new: str, message: str
) -> None:
    path = tmp_path / "books.csv"
    write_books(path, [replace(BOOK, title="T", description="")])
    path.write_text(path.read_text(encoding="utf-8").replace(old, new, 1), encoding="utf-8")
    with pytest.raises(ValueError, match=message):
        read_books(path)


def test_another_encoding_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "books.csv"
    write_books(path, BOOKS)
    path.write_bytes(path.read_text(encoding="utf-8").encode("utf-16"))
    with pytest.raises(ValueError, match="linha 1"):
        read_books(path)


def test_an_empty_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "books.csv").touch()
    with pytest.raises(ValueError, match="linha 1: as colunas"):
        read_books(tmp_path / "books.csv")
