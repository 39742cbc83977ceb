"""Measure a prediction: scikit-learn's own `predict_proba` and the shop's Predictor, in turns.

    .venv/bin/python benchmarks/predict.py [--times 200]

Fits every candidate on the bundled catalogue and prints the medians in milliseconds for one row and for a hundred,
and for a whole request of one row in Flask with the baseline.
"""

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from app.factory import create_app
from app.start import prepare
from benchmarks.shuffled_labels import bundled
from ml.candidates import CANDIDATES
from ml.features import FeatureSet, count_ratings, labels, matrix
from ml.predict import Predictor
from tests.support.shop import make_settings


def main() -> None:
    parser = argparse.ArgumentParser(description="milliseconds of a prediction")
    parser.add_argument("--times", type=int, default=200)
    times = parser.parse_args().times
    books = bundled()
    numbers = matrix(books, FeatureSet.BASIC, ())
    for name, make in CANDIDATES.items():
        estimator = make().fit(numbers, labels(books))
        predictor = Predictor(count_ratings(books), {FeatureSet.BASIC.value: estimator}, ())
        for rows in (1, 100):
            batch, batch_books = numbers[:rows], books[:rows]
            library, ours = alternating(
                times,
                partial(estimator.predict_proba, batch),
                partial(predictor.predict, batch_books),
            )
            sys.stdout.write(
                f"{name:24} {rows:4} rows   predict_proba {library:7.3f} ms   shop {ours:7.3f} ms   "
                f"{library / ours:5.1f} times\n"
            )
    with tempfile.TemporaryDirectory() as folder:
        sys.stdout.write(
            f"a request of one row in Flask: {request_ms(Path(folder), books[0], times):.3f} ms\n"
        )


def request_ms(data_dir: Path, book: dict[str, Any], times: int) -> float:
    app = create_app(make_settings(data_dir))
    prepare(app)
    client = app.test_client()
    body = [{name: book[name] for name in ("preco_com_taxa", "preco_sem_taxa", "disponibilidade")}]
    (median,) = alternating(times, lambda: client.post("/api/v1/ml/predictions", json=body))
    app.extensions["shop"].stop()
    return median


def alternating(times: int, *functions: Callable[[], object]) -> list[float]:
    """Return the median milliseconds of each function, called in turns."""
    durations: list[list[float]] = [[] for _ in functions]
    for _ in range(times):
        for function, seconds in zip(functions, durations, strict=True):
            began = time.perf_counter()
            function()
            seconds.append(time.perf_counter() - began)
    return [1_000 * statistics.median(seconds) for seconds in durations]


if __name__ == "__main__":
    main()
