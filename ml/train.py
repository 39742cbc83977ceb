"""Training: compare the candidates, fit those that may be served, and make the card."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from threadpoolctl import threadpool_limits

from ml.candidates import CANDIDATES
from ml.card import Card, make_card
from ml.compare import Comparison, Score, cross_validate
from ml.features import FeatureSet, Row, count_ratings, labels, matrix

MIN_ROWS: Final = 50
"""With fewer, no difference could be distinguished from the noise."""


@dataclass(frozen=True, slots=True)
class TrainedModel:
    """The fitted estimators by feature set, none if the baseline is as good; and the card."""

    estimators: Mapping[str, Any]
    card: Card


def train(rows: Sequence[Row]) -> TrainedModel:
    """Train on `rows` that `check_training_rows` accepts. The same rows give the same model and card."""
    categories = _categories(rows)
    with threadpool_limits(1):  # an estimator remembers how many threads it was fitted with
        baseline, comparisons = compare_candidates(rows)
        chosen = choose(comparisons)
        estimators = {
            feature_set.value: CANDIDATES[comparison.name]().fit(
                matrix(rows, feature_set, categories), labels(rows)
            )
            for feature_set, comparison in chosen.items()
        }
    return TrainedModel(estimators, make_card(rows, categories, baseline, comparisons, chosen))


def compare_candidates(rows: Sequence[Row]) -> tuple[Score, list[Comparison]]:
    """Score the baseline and every candidate beside it; no candidates if the rows are too few."""
    counts = count_ratings(rows)
    if len(rows) < MIN_ROWS or sum(count > 1 for count in counts.values()) < 2:
        return Score(max(counts.values()) / len(rows), 0.0), []
    categories = _categories(rows)
    matrices = {feature_set: matrix(rows, feature_set, categories) for feature_set in FeatureSet}
    return cross_validate(matrices, labels(rows))


def choose(comparisons: Sequence[Comparison]) -> dict[FeatureSet, Comparison]:
    """Choose for each feature set the best of the candidates that beat the baseline by more than the noise.

    The extended set gets a model only if that is better than the basic one's.
    """
    chosen: dict[FeatureSet, Comparison] = {}
    for feature_set in FeatureSet:
        promoted = [
            comparison
            for comparison in comparisons
            if comparison.feature_set is feature_set and comparison.promoted
        ]
        if promoted:
            chosen[feature_set] = max(promoted, key=lambda comparison: comparison.score.mean)
    basic, extended = chosen.get(FeatureSet.BASIC), chosen.get(FeatureSet.EXTENDED)
    if basic and extended and extended.score.mean <= basic.score.mean:
        del chosen[FeatureSet.EXTENDED]
    return chosen


def _categories(rows: Sequence[Row]) -> list[str]:
    return sorted({row["categoria"] for row in rows})
