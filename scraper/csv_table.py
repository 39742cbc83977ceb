"""Tables of books in CSV, read with the name of everything that is wrong with them."""

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

from scraper.book import ScrapedBook
from scraper.csv_values import CHECKS

SEED_COLUMNS: Final = (
    "categoria", "disponibilidade", "preco_com_taxa", "preco_sem_taxa", "rating", "titulo", "url_imagem",
)  # fmt: skip
IDENTITY_COLUMNS: Final = ("upc", "url_produto")
COLUMNS: Final = (*SEED_COLUMNS, *IDENTITY_COLUMNS, "descricao")
ALIASES: Final = {"classificacao_em_estrelas": "rating"}
"""The seed system's table has other names than its file."""
IGNORED: Final = ("id", "", "aproximado")
"""The key of the seed system's table, the index of a DataFrame, and what a search says of its matches."""
MAX_ROWS: Final = 200_000
MAX_FAULTS: Final = 1_000
"""Faults that are listed; more are counted."""
_MAX_BROKEN_ROWS: Final = 1_000
_MAX_ROW_CHARACTERS: Final = 60_000
"""More than the longest values of all columns, quoted; each row that is no CSV costs a scan of so many."""
_MAX_NAME = 40
_SENTENCES = {
    "unexpected end of data": "aspas que não fecham",
    "expected after": "aspas no meio de um valor",
    "row larger": "uma linha longa demais, ou aspas que não fecham",
}
"""What Python's reader says in English, and `_rows`, by a part of it."""


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with a row, by the line at which it begins; `column` is None where that is its form."""

    line: int
    column: str | None
    reason: str

    @property
    def place(self) -> str:
        return f"linha {self.line}" + ("" if self.column is None else f", coluna {self.column}")


class UnreadableTable(ValueError):
    """A file none of whose rows can be read; `line` is where that shows, and the text a sentence."""

    def __init__(self, line: int, reason: str) -> None:
        self.line = line
        super().__init__(reason)


class TooManyRows(ValueError):
    pass


@dataclass(slots=True)
class BookTable:
    """The books of a file, by the line at which each begins; what its columns lack is "" in them.

    `faults` are the first MAX_FAULTS of `fault_count`, `faulty_lines` the rows that have any, with one reason each.
    """

    columns: frozenset[str]
    books: dict[int, ScrapedBook] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    fault_count: int = 0
    faulty_lines: dict[int, str] = field(default_factory=dict)

    def add_fault(self, line: int, column: str | None, reason: str) -> None:
        self.fault_count += 1
        self.faulty_lines.setdefault(line, reason if column is None else f"{column}: {reason}")
        if len(self.faults) < MAX_FAULTS:
            self.faults.append(Fault(line, column, reason))


def read_table(data: bytes, max_price: Decimal | None = None) -> BookTable:
    """Read UTF-8, with or without a byte order mark, whose first row names the columns, in any order.

    Lines are counted as an editor does. A price above `max_price` is a fault. Raises UnreadableTable or TooManyRows.
    """
    # What is not UTF-8 becomes surrogates, by which the values that have it are found.
    lines = list(io.TextIOWrapper(io.BytesIO(data), "utf-8-sig", "surrogateescape", newline=""))
    rows = _rows(lines)
    names = _column_names(next(rows, (1, []))[1])
    table = BookTable(frozenset(name for name in names if name not in IGNORED))
    seen: dict[tuple[str, ...], int] = {}
    broken = 0
    for line, row in rows:
        if isinstance(row, str):
            table.add_fault(line, None, row)
            broken += 1
            if broken > _MAX_BROKEN_ROWS:
                raise UnreadableTable(line, f"mais de {_MAX_BROKEN_ROWS} linhas não são CSV")
        elif len(row) != len(names):
            table.add_fault(line, None, f"{len(row)} colunas em vez de {len(names)}")
        else:
            _read_row(table, line, dict(zip(names, row, strict=True)), max_price, seen)
        if len(table.books) + len(table.faulty_lines) > MAX_ROWS:
            raise TooManyRows(f"O arquivo tem mais de {MAX_ROWS} linhas de livros.")
    return table


def _rows(lines: Sequence[str]) -> Iterator[tuple[int, list[str] | str]]:
    """Yield each row but blank ones with the line at which it begins; a sentence for one that is no CSV.

    The row after such a one begins in the next line: what a missing quote has swallowed is read again.
    """
    first = begin = 0

    def remaining() -> Iterator[str]:
        characters, of_row = 0, first
        for place in range(first, len(lines)):
            if of_row != begin:
                characters, of_row = 0, begin
            characters += len(lines[place])
            if characters > _MAX_ROW_CHARACTERS:
                raise csv.Error("row larger than the limit")
            yield lines[place]

    while first < len(lines):
        reader = csv.reader(remaining(), strict=True)
        begin = first
        try:
            for row in reader:
                if row:
                    yield begin + 1, row
                begin = first + reader.line_num
        except csv.Error as error:
            reasons = (reason for part, reason in _SENTENCES.items() if part in str(error))
            yield begin + 1, next(reasons, "não é CSV")
            first = begin + 1
        else:
            return


def _column_names(header: list[str] | str) -> list[str]:
    """Return the names of the columns as this module knows them. Raises UnreadableTable."""
    if isinstance(header, str):
        raise UnreadableTable(1, header)
    names = [ALIASES.get(name.strip(), name.strip()) for name in header]
    if not set(names) & set(COLUMNS):
        hint = ", separados por vírgulas" if any(";" in name for name in names) else ""
        raise UnreadableTable(1, f"as colunas deveriam ser {','.join(SEED_COLUMNS)}{hint}, em UTF-8")
    problems = []
    if unknown := [name for name in names if name not in (*COLUMNS, *IGNORED)]:
        shown = ", ".join(repr(name.encode(errors="replace").decode()[:_MAX_NAME]) for name in unknown[:10])
        problems.append(f"as colunas {shown} são desconhecidas")
    if missing := [name for name in SEED_COLUMNS if name not in names]:
        problems.append(f"faltam as colunas {', '.join(missing)}")
    if repeated := sorted(name for name in (*COLUMNS, *IGNORED) if names.count(name) > 1):
        problems.append(f"as colunas {', '.join(repeated)} se repetem")
    if len(set(IDENTITY_COLUMNS) & set(names)) == 1:
        problems.append(f"{' e '.join(IDENTITY_COLUMNS)} só vêm juntas")
    if problems:
        raise UnreadableTable(1, "; ".join(problems))
    return names


def _read_row(
    table: BookTable,
    line: int,
    values: Mapping[str, str],
    max_price: Decimal | None,
    seen: dict[tuple[str, ...], int],
) -> None:
    """Add the book of a row to `table`, or its faults; `seen` has the lines of others by what tells them apart."""
    faulty = False
    for column in COLUMNS:
        if column in values and (reason := CHECKS[column](values[column], column)):
            table.add_fault(line, column, reason)
            faulty = True
    if faulty:
        return
    gross, net = Decimal(values["preco_com_taxa"]), Decimal(values["preco_sem_taxa"])
    if max_price is not None and not 0 < gross <= max_price:
        table.add_fault(line, "preco_com_taxa", f"deve ser maior que 0 e no máximo {max_price}")
        return
    if max_price is not None and not 0 < net <= gross:
        table.add_fault(line, "preco_sem_taxa", "deve ser maior que 0 e no máximo o preço com taxa")
        return
    unique = ("upc",) if "upc" in values else ("titulo", "url_imagem")
    first = seen.setdefault(tuple(values[column] for column in unique), line)
    if first != line:
        table.add_fault(line, unique[0], f"repete {' e '.join(unique)} da linha {first}")
        return
    table.books[line] = ScrapedBook(
        url=values.get("url_produto", ""),
        upc=values.get("upc", ""),
        title=values["titulo"],
        category=values["categoria"],
        price_excl_tax=net,
        price_incl_tax=gross,
        stock=int(values["disponibilidade"]),
        rating=int(values["rating"]),
        image_url=values["url_imagem"],
        description=values.get("descricao", ""),
    )
