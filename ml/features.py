"""What a model sees of a book: rows as `GET /api/v1/ml/training-data` shows them, as matrices of numbers."""

from __future__ import annotations

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
FAR_OUT: Final = (*BASIC_FEATURES, CATEGORY)
"""The features of which it is told that nothing like them was learnt from."""
HIGHEST: Final = 2**31 - 1
"""Of a price in pounds or a stock: as much as the shop's own columns hold."""
TRAINING_KEYS: Final = (
    "categoria",
    "disponibilidade",
    "preco_com_taxa",
    "preco_sem_taxa",
    "rating",
    "titulo",
)


class FeatureSet(StrEnum):
    """`BASIC` is what every input has; `EXTENDED` adds what the category and the title say."""

    BASIC = "basico"
    EXTENDED = "ampliado"


def has_extended(row: Row) -> bool:
    """Whether `row` brings both of the optional features."""
    return all(row.get(name) is not None for name in OPTIONAL_FEATURES)


def feature_names(feature_set: FeatureSet, categories: Sequence[str]) -> list[str]:
    """What the columns of `matrix` mean."""
    if feature_set is FeatureSet.BASIC:
        return list(BASIC_FEATURES)
    return [
        *BASIC_FEATURES,
        "titulo_caracteres",
        "titulo_palavras",
        *(f"categoria={name}" for name in categories),
    ]


def matrix(rows: Sequence[Row], feature_set: FeatureSet, categories: Sequence[str]) -> Matrix:
    """One line for each of `rows`, one column for each of `feature_names`.

    A category that is not among `categories` is none of them: all its columns are 0.
    """
    basic = np.array([[row[name] for name in BASIC_FEATURES] for row in rows], dtype=np.float64)
    basic = basic.reshape(len(rows), len(BASIC_FEATURES))
    if feature_set is FeatureSet.BASIC:
        return basic
    column = {name: place for place, name in enumerate(categories)}
    extended = np.zeros((len(rows), 2 + len(categories)))
    for line, row in zip(extended, rows, strict=True):
        line[0], line[1] = len(row["titulo"]), len(row["titulo"].split())
        if row["categoria"] in column:
            line[2 + column[row["categoria"]]] = 1
    return np.hstack([basic, extended])


def labels(rows: Sequence[Row]) -> NDArray[np.int64]:
    return np.array([row[LABEL] for row in rows], dtype=np.int64)


def count_ratings(rows: Sequence[Row]) -> dict[int, int]:
    """How many of `rows` have each rating, those that none has included."""
    counts = dict.fromkeys(RATINGS, 0)
    for row in rows:
        counts[row[LABEL]] += 1
    return counts


def commonest(counts: Mapping[int, int]) -> int:
    """The rating that most have; the lowest of those that are equally common."""
    return max(sorted(counts), key=lambda rating: counts[rating])


def digest_of_rows(rows: Sequence[Row]) -> str:
    """SHA-256 of the training data, in the order in which they are."""
    canonical = json.dumps([[row[key] for key in TRAINING_KEYS] for row in rows], ensure_ascii=False)
    return hashlib.sha256(canonical.encode()).hexdigest()


def check_training_rows(rows: Any) -> list[Row]:
    """`rows`, if they can be trained on. Raises ValueError, which names the row and the key."""
    if not isinstance(rows, list) or not rows:
        raise ValueError("os dados devem ser uma lista de livros")
    for place, row in enumerate(rows):
        if not isinstance(row, dict):
            raise ValueError(f"[{place}]: deve ser um objeto")
        for key in TRAINING_KEYS:
            if not _fits(key, row.get(key)):
                raise ValueError(f"[{place}].{key}: falta ou não serve")
    return rows


def _fits(key: str, value: Any) -> bool:
    if key in OPTIONAL_FEATURES:
        return isinstance(value, str) and value == value.encode(errors="replace").decode()
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return value in RATINGS if key == LABEL else 0 <= value <= HIGHEST
