"""Tables of books from elsewhere: every row that can't be used is named."""

from __future__ import annotations

import time
from collections.abc import Callable
from decimal import Decimal

import pytest

from scraper import csv_table
from scraper.csv_table import (
    IDENTITY_COLUMNS,
    MAX_FAULTS,
    SEED_COLUMNS,
    BookTable,
    TooManyRows,
    UnreadableTable,
    read_table,
)
from tests.support.catalogue_csv import FAULTS, as_csv, seed_rows

LINES = 20
FAULTY = 7
"""The line that a test breaks, as an editor counts them."""


def read(data: bytes) -> BookTable:
    return read_table(data, Decimal(1_000))


def places(table: BookTable) -> list[tuple[int, str | None]]:
    return [(fault.line, fault.column) for fault in table.faults]


@pytest.mark.parametrize(("column", "spoil"), FAULTS.values(), ids=FAULTS.keys())
def test_a_faulty_row_is_named_by_line_and_column_and_the_others_are_read(
    column: str | None, spoil: Callable[[bytes], bytes]
) -> None:
    lines = as_csv(seed_rows(LINES)).splitlines()
    lines[FAULTY - 1] = spoil(lines[FAULTY - 1])
    table = read(b"\n".join(lines) + b"\n")
    assert (FAULTY, column) in places(table)
    assert set(table.faulty_lines) <= {FAULTY, FAULTY + 1}, "the row after a broken one may be broken by it"
    whole = set(range(2, LINES + 2)) - {FAULTY}
    later = {line for line in table.books if line > FAULTY + 1}
    assert {line for line in whole if line < FAULTY} <= table.books.keys()
    assert len(later) >= LINES + 1 - FAULTY - 1


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_lines_are_counted_as_an_editor_does_whatever_ends_them(end: str) -> None:
    rows = [dict(row, descricao="One\ntwo\n\nfour") for row in seed_rows(4)]
    rows[2]["rating"] = "0"
    table = read(as_csv(rows, (*SEED_COLUMNS, "descricao")).replace(b"\n", end.encode()))
    each = 4
    assert places(table) == [(2 + 2 * each, "rating")]
    assert list(table.books) == [2, 2 + each, 2 + 3 * each]


def test_every_fault_of_a_row_is_named() -> None:
    rows = seed_rows(3)
    rows[1] |= {"preco_com_taxa": "x", "rating": "", "titulo": ""}
    assert places(read(as_csv(rows))) == [(3, "preco_com_taxa"), (3, "rating"), (3, "titulo")]


def test_a_book_twice_names_the_line_of_the_first() -> None:
    rows = seed_rows(5)
    rows[3] = rows[1]
    (fault,) = read(as_csv(rows)).faults
    assert (fault.line, fault.reason) == (5, "repete titulo e url_imagem da linha 3")


def test_a_upc_twice_names_the_line_of_the_first() -> None:
    rows = [
        dict(row, upc=f"u{place % 3}", url_produto=f"https://shop.invalid/{place}")
        for place, row in enumerate(seed_rows(4))
    ]
    table = read(as_csv(rows, (*SEED_COLUMNS, *IDENTITY_COLUMNS)))
    assert [(fault.line, fault.column, fault.reason) for fault in table.faults] == [
        (5, "upc", "repete upc da linha 2")
    ]


def test_one_title_on_two_images_is_two_books() -> None:
    rows = [dict(row, titulo="The Star-Touched Queen") for row in seed_rows(2)]
    assert len(read(as_csv(rows)).books) == 2


@pytest.mark.parametrize("prefix", [b"", b"\xef\xbb\xbf"])
def test_a_byte_order_mark_makes_no_difference(prefix: bytes) -> None:
    assert len(read(prefix + as_csv(seed_rows(2))).books) == 2


def test_the_columns_may_come_in_any_order() -> None:
    rows = seed_rows(3)
    assert read(as_csv(rows, reversed(SEED_COLUMNS))).books == read(as_csv(rows)).books


def test_the_columns_of_the_seeds_table_and_of_a_dataframe_are_read() -> None:
    rows = [
        {**row, "": str(place), "id": str(place + 1), "classificacao_em_estrelas": row["rating"]}
        for place, row in enumerate(seed_rows(3))
    ]
    columns = (
        "", "id", "titulo", "preco_sem_taxa", "preco_com_taxa", "disponibilidade", "categoria",
        "classificacao_em_estrelas", "url_imagem",
    )  # fmt: skip
    assert read(as_csv(rows, columns)).books == read(as_csv(rows)).books


def test_a_price_may_be_written_as_pandas_writes_it() -> None:
    rows = seed_rows(3)
    for row, price in zip(rows, ("50.0", "51.7", "52"), strict=True):
        row |= {"preco_com_taxa": price, "preco_sem_taxa": price}
    prices = [book.price_incl_tax for book in read(as_csv(rows)).books.values()]
    assert prices == [Decimal(50), Decimal("51.7"), Decimal(52)]


@pytest.mark.parametrize(
    ("header", "message"),
    [
        ("a,b,c", "as colunas deveriam ser categoria,"),
        ("categoria;disponibilidade;titulo", "separados por vírgulas"),
        (",".join(SEED_COLUMNS[:-1]), "faltam as colunas url_imagem"),
        (",".join((*SEED_COLUMNS, "autor")), "as colunas 'autor' são desconhecidas"),
        (",".join((*SEED_COLUMNS, "titulo")), "as colunas titulo se repetem"),
        (",".join((*SEED_COLUMNS, "classificacao_em_estrelas")), "as colunas rating se repetem"),
        (",".join((*SEED_COLUMNS, "upc")), "upc e url_produto só vêm juntas"),
        (",".join((*SEED_COLUMNS, "x" * 10_000)), "'" + "x" * 40 + "'"),
        ('"categoria', "aspas que não fecham"),
    ],
)
def test_what_is_wrong_with_the_columns_is_named(header: str, message: str) -> None:
    with pytest.raises(UnreadableTable) as refused:
        read(f"{header}\n{as_csv(seed_rows(1)).decode()}".encode())
    assert message in str(refused.value)
    assert len(str(refused.value)) < 500


@pytest.mark.parametrize(
    "data", [b"", b"\n", b"\x00\x01\x02", b"\x89PNG\r\n\x1a\n\xff\xfe", b"{}", "categoria".encode("utf-16")]
)
def test_what_is_no_table_is_refused(data: bytes) -> None:
    with pytest.raises(UnreadableTable, match="as colunas deveriam ser"):
        read(data)


def test_blank_lines_are_no_rows() -> None:
    table = read(as_csv(seed_rows(2)).replace(b"\n", b"\n\n"))
    assert (list(table.books), table.faults) == ([3, 5], [])


def test_a_quote_that_never_ends_costs_only_its_row() -> None:
    lines = as_csv(seed_rows(2_000)).splitlines()
    lines[1] = lines[1].replace(b"Book", b'"Book')
    assert len(read(b"\n".join(lines)).books) >= 1_999 - 1


def test_faults_beyond_the_bound_of_the_report_are_counted() -> None:
    rows = [dict(row, rating="x") for row in seed_rows(MAX_FAULTS + 10)]
    table = read(as_csv([*rows, *seed_rows(1)]))
    assert (len(table.faults), table.fault_count, len(table.books)) == (MAX_FAULTS, MAX_FAULTS + 10, 1)


@pytest.mark.parametrize(
    "rows", [(b'x,"' + b"y" * 2_000 + b"\n") * 5_000, b'a","b\n' * 200_000], ids=["long", "many lines"]
)
def test_a_file_of_broken_rows_is_given_up_soon(rows: bytes) -> None:
    began = time.monotonic()
    with pytest.raises(UnreadableTable, match="não são CSV"):
        read(as_csv([]) + rows)
    assert time.monotonic() - began < 10


def test_a_header_of_very_many_names_is_refused_soon() -> None:
    names = ",".join(f"c{number}" for number in range(4_500))
    began = time.monotonic()
    with pytest.raises(UnreadableTable, match="desconhecidas"):
        read(f"titulo,{names},{names}\n".encode())
    assert time.monotonic() - began < 10


def test_more_rows_than_are_read_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csv_table, "MAX_ROWS", 3)
    assert len(read(as_csv(seed_rows(3))).books) == 3
    with pytest.raises(TooManyRows, match="3 linhas"):
        read(as_csv(seed_rows(4)))
