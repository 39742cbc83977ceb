"""Features of a book: rows as `GET /api/v1/ml/training-data` shows them, as matrices of numbers."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

Row = Mapping[str, Any]
Matrix = NDArray[np.float64]

RATINGS: Final = (1, 2, 3, 4, 5)
LABEL: Final = "rating"
BASIC_FEATURES: Final = ("preco_com_taxa", "preco_sem_taxa", "disponibilidade")
CATEGORY: Final = "categoria"
OPTIONAL_FEATURES: Final = (CATEGORY, "titulo")
OUT_OF_DISTRIBUTION_FEATURES: Final = (*BASIC_FEATURES, CATEGORY)
"""The features that are checked for values unlike the training data."""
MAX_NUMBER: Final = 2**31 - 1
"""Largest price in pounds and largest stock, as in the shop's own columns."""
TRAINING_KEYS: Final = (
    "categoria",
    "disponibilidade",
    "preco_com_taxa",
    "preco_sem_taxa",
    "rating",
    "titulo",
)


class FeatureSet(StrEnum):
    """`BASIC` has the features of every input; `EXTENDED` adds those of category and title."""

    BASIC = "basico"
    EXTENDED = "ampliado"


def has_extended(row: Row) -> bool:
    """Tell whether `row` has both of the optional features."""
    return all(row.get(name) is not None for name in OPTIONAL_FEATURES)


def feature_names(feature_set: FeatureSet, categories: Sequence[str]) -> list[str]:
    """Name the columns of `matrix`."""
    if feature_set is FeatureSet.BASIC:
        return list(BASIC_FEATURES)
    return [
        *BASIC_FEATURES,
        "titulo_caracteres",
        "titulo_palavras",
        *(f"categoria={name}" for name in categories),
    ]


def matrix(rows: Sequence[Row], feature_set: FeatureSet, categories: Sequence[str]) -> Matrix:
    """Return an array with one line for each of `rows` and one column for each of `feature_names`.

    A category that is not among `categories` has 0 in all of their columns.
    """
    basic = np.array([[row[name] for name in BASIC_FEATURES] for row in rows], dtype=np.float64)
    basic = basic.reshape(len(rows), len(BASIC_FEATURES))
    if feature_set is FeatureSet.BASIC:
        return basic
    columns = {name: 2 + number for number, name in enumerate(categories)}
    extended = np.zeros((len(rows), 2 + len(categories)))
    for line, row in zip(extended, rows, strict=True):
        line[0], line[1] = len(row["titulo"]), len(row["titulo"].split())
        if row["categoria"] in columns:
            line[columns[row["categoria"]]] = 1
    return np.hstack([basic, extended])


def labels(rows: Sequence[Row]) -> NDArray[np.int64]:
    """Return the ratings of `rows`."""
    return np.array([row[LABEL] for row in rows], dtype=np.int64)


def count_ratings(rows: Sequence[Row]) -> dict[int, int]:
    """Count `rows` by rating; ratings without any are 0."""
    counts = dict.fromkeys(RATINGS, 0)
    for row in rows:
        counts[row[LABEL]] += 1
    return counts


def commonest(counts: Mapping[int, int]) -> int:
    """Return the rating with the highest count; the lowest of several."""
    return max(sorted(counts), key=lambda rating: counts[rating])


def digest_of_rows(rows: Sequence[Row]) -> str:
    """Return the SHA-256 of the training data, which depends on their order."""
    canonical = json.dumps([[row[key] for key in TRAINING_KEYS] for row in rows], ensure_ascii=False)
    return hashlib.sha256(canonical.encode()).hexdigest()


def check_training_rows(rows: Any) -> list[Row]:
    """Return `rows` unchanged if they are training data. Raises ValueError, which names the row and the key."""
    if not isinstance(rows, list) or not rows:
        raise ValueError("os dados devem ser uma lista de livros")
    for number, row in enumerate(rows):
        if not isinstance(row, dict):
            raise ValueError(f"[{number}]: deve ser um objeto")
        for key in TRAINING_KEYS:
            if not _is_valid(key, row.get(key)):
                raise ValueError(f"[{number}].{key}: falta ou não serve")
    return rows


def _is_valid(key: str, value: Any) -> bool:
    if key in OPTIONAL_FEATURES:
        return isinstance(value, str) and value == value.encode(errors="replace").decode()
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return value in RATINGS if key == LABEL else 0 <= value <= MAX_NUMBER
