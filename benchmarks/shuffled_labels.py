"""Measure how often a training promotes a candidate if there is nothing to learn.

    python benchmarks/shuffled_labels.py --times 100 [livros.json]

Takes the bundled catalogue, or the response of `GET /api/v1/ml/training-data` in a file, shuffles the ratings, and
trains, again and again. Prints how many trainings promoted a candidate beside ALPHA, the share that ml/compare.py
allows; exits with 1 if there were more than chance explains. One training takes about a quarter of a minute.
"""

import argparse
import json
import random
import sys
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from scipy import stats

from ml.compare import ALPHA
from ml.features import LABEL, Row, check_training_rows
from ml.train import choose, compare_candidates
from scraper.csv_file import read_books

ROOT = Path(__file__).parents[1]
SURE_BELOW = 0.01
"""The significance level at which the promotions are more than ALPHA."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "dados", nargs="?", type=Path, help="training data; the bundled catalogue's if missing"
    )
    parser.add_argument("--times", type=int, default=100)
    parser.add_argument("--processes", type=int, default=2)
    options = parser.parse_args()
    rows = check_training_rows(json.loads(options.dados.read_bytes())) if options.dados else bundled()
    with ProcessPoolExecutor(options.processes) as pool:
        promoted = 0
        for time, names in enumerate(pool.map(partial(promotions, rows), range(options.times)), 1):
            promoted += bool(names)
            sys.stdout.write(f"{time:4} {', '.join(names) or '-'}\n")
            sys.stdout.flush()
    chance = stats.binom.sf(promoted - 1, options.times, ALPHA)
    sys.stdout.write(
        f"{promoted} of {options.times} trainings promoted something; "
        f"stated: at most {ALPHA:.0%} (p = {chance:.3f})\n"
    )
    return int(chance < SURE_BELOW)


def promotions(rows: Sequence[Row], seed: int) -> list[str]:
    """Return the candidates that a training promotes on `rows` with shuffled ratings."""
    ratings = [row[LABEL] for row in rows]
    random.Random(seed).shuffle(ratings)
    shuffled = [{**row, LABEL: rating} for row, rating in zip(rows, ratings, strict=True)]
    _, comparisons = compare_candidates(shuffled)
    return [f"{best.name} ({feature_set.value})" for feature_set, best in choose(comparisons).items()]


def bundled() -> list[dict[str, Any]]:
    return [
        {
            "categoria": book.category,
            "disponibilidade": book.stock,
            "preco_com_taxa": float(book.price_incl_tax),
            "preco_sem_taxa": float(book.price_excl_tax),
            "rating": book.rating,
            "titulo": book.title,
        }
        for book in read_books(ROOT / "data" / "catalogo_demo.csv")
    ]


if __name__ == "__main__":
    sys.exit(main())
