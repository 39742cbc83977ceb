"""Measure what the texts of a shop say about its categories, and how often a training finds something in noise.

    python benchmarks/categories.py --times 100 [livros.csv]

Takes the bundled catalogue, or the file that `python -m scraper --out` writes, trains on its titles and descriptions,
and prints what the card would say. Then it deals the categories of the books anew, again and again, and prints how many
trainings promoted a candidate, proposed a category, or found that similar books share one; exits with 1 if any did.
`--least N` leaves out the categories of fewer than N books, which nothing can be learnt of. One training of a thousand
books takes about three seconds.
"""

import argparse
import json
import random
import sys
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from threadpoolctl import threadpool_limits

from ml.categories import learn
from ml.likeness import assess, find_neighbours
from ml.text_model import UNSPECIFIED, Neighbours
from ml.texts import Texts, count_words
from ml.train_texts import train_on
from scraper.book import ScrapedBook
from scraper.csv_file import read_books

ROOT = Path(__file__).parents[1]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("livros", nargs="?", type=Path, default=ROOT / "data" / "catalogo_demo.csv")
    parser.add_argument("--times", type=int, default=100)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--least", type=int, default=1)
    options = parser.parse_args()
    texts = read_texts(read_books(options.livros), options.least)
    sys.stdout.write(json.dumps(train_on(texts).card, ensure_ascii=False, indent=2) + "\n")
    found_something = 0
    work = partial(find_in_noise, texts, find_neighbours(texts))
    with ProcessPoolExecutor(options.processes) as pool:
        for time, findings in enumerate(pool.map(work, range(options.times)), 1):
            found_something += bool(findings)
            sys.stdout.write(f"{time:4} {', '.join(findings) or '-'}\n")
            sys.stdout.flush()
    sys.stdout.write(f"{found_something} of {options.times} trainings found something in noise\n")
    return int(found_something > 0)


def find_in_noise(texts: Texts, neighbours: Neighbours, seed: int) -> list[str]:
    """Return what a training finds with the categories of the books dealt anew; those without one keep none."""
    known = [place for place, name in enumerate(texts.categories) if name not in UNSPECIFIED]
    dealt = [texts.categories[place] for place in known]
    random.Random(seed).shuffle(dealt)
    categories = [*texts.categories]
    for place, name in zip(known, dealt, strict=True):
        categories[place] = name
    noise = replace(texts, categories=categories)
    with threadpool_limits(1):
        found, likeness = learn(noise), assess(noise, neighbours)
    findings = [found.chosen.name] if found.chosen else []
    findings += [f"{len(found.suggestions)} proposals"] * bool(found.suggestions)
    return findings + ["likeness"] * likeness.promoted


def read_texts(books: Sequence[ScrapedBook], least: int) -> Texts:
    counts = Counter(book.category for book in books)
    kept = [book for book in books if book.category in UNSPECIFIED or counts[book.category] >= least]
    return count_words(
        {"id": place, "titulo": book.title, "categoria": book.category, "descricao": book.description}
        for place, book in enumerate(kept)
    )


if __name__ == "__main__":
    sys.exit(main())
