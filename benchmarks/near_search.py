"""Compare ways to find a title by its first words with a slip of the keyboard in them.

    .venv/bin/python -m benchmarks.near_search [--sizes 1000,100000] [--slips 1000] [livros.csv]

Takes the titles of the bundled catalogue, or those of a CSV file with a column `titulo`, and as many made of their
words as a size needs. Prints how often a way has the book among its first five, how often it finds something for
letters drawn by chance, the time of the processor that it takes, and what its index takes. rapidfuzz is measured
where it is installed: `pip install rapidfuzz`.
"""

import argparse
import csv
import importlib
import random
import sqlite3
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from string import ascii_lowercase
from typing import Any

import numpy as np

from app.core.books import fold
from app.core.catalogue import Catalogue
from app.core.near_search import NearSearch
from app.core.trigrams import TrigramIndex
from app.start import DEMONSTRATION_CSV
from tests.support.books import make_book, make_catalogue
from tests.support.slips import FIRST_WORDS, make_slips

FIRST = 5
CANDIDATES = 64
RANDOM_TEXTS = 300
LOWEST_SCORE = 75
"""What rapidfuzz gives to a word of four letters with one of them mistaken."""

Search = Callable[[str], Sequence[int]]
"""Returns the places of the titles that are nearest to a folded text, nearest first."""


@dataclass(frozen=True, slots=True)
class Way:
    """A prepared way to search, the seconds of its preparation and the bytes of its index."""

    name: str
    search: Search
    prepared_s: float
    index_bytes: int


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("livros", nargs="?", type=Path, default=DEMONSTRATION_CSV)
    parser.add_argument("--sizes", default="1000,100000", help="numbers of titles; default: %(default)s")
    parser.add_argument("--slips", type=int, default=1_000, help="default: %(default)s")
    options = parser.parse_args()
    with options.livros.open(encoding="utf-8-sig", newline="") as file:
        given = [row["titulo"] for row in csv.DictReader(file)]
    for size in map(int, options.sizes.split(",")):
        _compare(_made_of(given, size), options.slips)
    return 0


def _made_of(given: Sequence[str], size: int) -> list[str]:
    words, draw = [word for title in given for word in title.split()], random.Random(0)
    made = (" ".join(draw.choices(words, k=draw.randint(2, 8))) for _ in range(size - len(given)))
    return [*given[:size], *made]


def _compare(titles: Sequence[str], count: int) -> None:
    catalogue = make_catalogue(*(make_book(place, title=title) for place, title in enumerate(titles)))
    hidden, found = [], 0
    for place, text in make_slips(titles, count):
        exact = catalogue.base.search(text, "")
        found += place in exact[:FIRST]
        if not len(exact):
            hidden.append((place, fold(text.strip())))
    _print(
        f"\n{len(titles):,} titles, {count:,} slips in up to {FIRST_WORDS} words: {count - len(hidden)} find"
    )
    _print(
        f" something exactly, {found} of these the book among the first five; of the other {len(hidden)}:\n\n"
    )
    _print("| way | found | random letters find | p50, ms of CPU | p99 | index, s of CPU | index, MB |\n")
    _print("|---|--:|--:|--:|--:|--:|--:|\n")
    draw = random.Random(0)
    nonsense = ["".join(draw.choices(ascii_lowercase, k=draw.randint(5, 8))) for _ in range(RANDOM_TEXTS)]
    nonsense = [text for text in nonsense if not len(catalogue.base.search(text, ""))]
    for way in _ways(catalogue, titles):
        taken, hits = [], 0
        for place, text in hidden:
            began = time.thread_time()
            hits += place in way.search(text)[:FIRST]
            taken.append(1_000 * (time.thread_time() - began))
        shares = f"{hits / len(hidden):.1%} | {sum(bool(way.search(text)) for text in nonsense) / len(nonsense):.1%}"
        p50, p99 = statistics.median(taken), statistics.quantiles(taken, n=100)[-1]
        _print(f"| {way.name} | {shares} | {p50:.2f} | {p99:.2f} | ")
        _print(f"{way.prepared_s:.3f} | {way.index_bytes / 1e6:.1f} |\n")


def _ways(catalogue: Catalogue, titles: Sequence[str]) -> list[Way]:
    folded = [fold(title) for title in titles]
    everywhere = np.ones(len(titles), np.bool_)

    def ours() -> tuple[Search, int]:
        near = NearSearch(folded, catalogue.base.columns.category_codes, ["fiction"])
        return lambda text: near.titles(text, everywhere).tolist(), near._title_index.nbytes

    ways = [
        _prepare("trigrams and costs of slips, of the shop", ours),
        _prepare("SQLite FTS5, trigram", lambda: _fts5(folded)),
    ]
    try:
        fuzz, process = (importlib.import_module(f"rapidfuzz.{name}") for name in ("fuzz", "process"))
    except ImportError:
        return ways

    def ranked() -> tuple[Search, int]:
        index = TrigramIndex(folded)

        def search(text: str) -> list[int]:
            places = index.closest(text, everywhere, CANDIDATES).tolist()
            texts = [folded[place] for place in places]
            found = process.extract(
                text, texts, scorer=fuzz.partial_ratio, limit=FIRST, score_cutoff=LOWEST_SCORE
            )
            return [places[at] for _, _, at in found]

        return search, index.nbytes

    def whole(scorer: Any) -> tuple[Search, int]:
        return lambda text: [
            at
            for _, _, at in process.extract(
                text, folded, scorer=scorer, limit=FIRST, score_cutoff=LOWEST_SCORE
            )
        ], 0

    ways.append(_prepare("trigrams of the shop and rapidfuzz, partial_ratio", ranked))
    ways.append(_prepare("rapidfuzz, partial_ratio", lambda: whole(fuzz.partial_ratio)))
    ways.append(_prepare("rapidfuzz, WRatio", lambda: whole(fuzz.WRatio)))
    return ways


def _prepare(name: str, make: Callable[[], tuple[Search, int]]) -> Way:
    began = time.thread_time()
    search, size = make()
    return Way(name, search, time.thread_time() - began, size)


def _fts5(folded: Sequence[str]) -> tuple[Search, int]:
    database = sqlite3.connect(":memory:")
    database.execute("CREATE VIRTUAL TABLE titles USING fts5(title, tokenize='trigram', detail='none')")
    database.executemany("INSERT INTO titles (rowid, title) VALUES (?, ?)", enumerate(folded))
    database.execute("INSERT INTO titles (titles) VALUES ('optimize')")
    pages, page_size = (
        database.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_count", "page_size")
    )

    def search(text: str) -> list[int]:
        trigrams = dict.fromkeys(text[at : at + 3].replace('"', '""') for at in range(len(text) - 2))
        query = " OR ".join(f'"{trigram}"' for trigram in trigrams)
        rows = database.execute("SELECT rowid FROM titles (?) ORDER BY rank LIMIT ?", (query, FIRST))
        return [place for (place,) in rows] if query else []

    return search, pages * page_size


def _print(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
