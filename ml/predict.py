"""Predictions of a trained model, or of the baseline. Imports scikit-learn only together with estimators."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ml.features import RATINGS, FeatureSet, Matrix, Row, commonest, has_extended, matrix

ProbabilityFunction = Callable[[Matrix], Matrix]
"""From one line for each row to the probability of each class; see `predict_proba` of scikit-learn."""


@dataclass(frozen=True, slots=True)
class Prediction:
    """A rating, the probabilities of the ratings 1 to 5, and the model's feature set: None for the baseline."""

    rating: int
    probabilities: tuple[float, ...]
    feature_set: FeatureSet | None


class Predictor:
    """Predict each row with the estimator for the features that it has. Immutable, so thread-safe."""

    def __init__(
        self, counts: Mapping[int, int], estimators: Mapping[str, Any], categories: Sequence[str]
    ) -> None:
        """`counts` are those of the ratings in the training data, for the baseline."""
        total = sum(counts.values())
        shares = tuple(counts[rating] / total if total else 1 / len(RATINGS) for rating in RATINGS)
        self._baseline = Prediction(commonest(counts), shares, None)
        self._predict_proba = {
            FeatureSet(name): _probability_function(estimator) for name, estimator in estimators.items()
        }
        self._categories = categories
        self._known_categories = frozenset(categories)

    def predict(self, rows: Sequence[Row]) -> list[Prediction]:
        """Return one prediction for each of `rows`, in their order."""
        predictions = [self._baseline] * len(rows)
        positions: dict[FeatureSet, list[int]] = {}
        for position, row in enumerate(rows):
            feature_set = self._feature_set(row)
            if feature_set is not None:
                positions.setdefault(feature_set, []).append(position)
        for feature_set, batch in positions.items():
            numbers = matrix([rows[position] for position in batch], feature_set, self._categories)
            for position, probabilities in zip(batch, self._predict_proba[feature_set](numbers), strict=True):
                rating = RATINGS[int(probabilities.argmax())]
                predictions[position] = Prediction(rating, tuple(probabilities.tolist()), feature_set)
        return predictions

    def _feature_set(self, row: Row) -> FeatureSet | None:
        # A model of categories knows nothing about a category that it was not trained on.
        known = has_extended(row) and row["categoria"] in self._known_categories
        if known and FeatureSet.EXTENDED in self._predict_proba:
            return FeatureSet.EXTENDED
        return FeatureSet.BASIC if FeatureSet.BASIC in self._predict_proba else None


def _probability_function(estimator: Any) -> ProbabilityFunction:
    """Return the cheapest function of `estimator` for the probabilities of all five ratings."""
    columns = [RATINGS.index(int(rating)) for rating in estimator.classes_]
    predict_proba = _mean_of_trees(estimator) or estimator.predict_proba

    def all_ratings(numbers: Matrix) -> Matrix:
        probabilities = np.zeros((len(numbers), len(RATINGS)))
        probabilities[:, columns] = predict_proba(numbers)
        return probabilities

    return all_ratings


def _mean_of_trees(estimator: Any) -> ProbabilityFunction | None:
    """Return a function that averages the trees of a forest one after the other; None for other estimators.

    The forest's own `predict_proba` computes the same, but hands every tree to a pool of threads and checks the input
    anew for each, which for one row costs many times the prediction (benchmarks/predict.py).
    """
    from sklearn.ensemble import RandomForestClassifier

    if not isinstance(estimator, RandomForestClassifier):
        return None
    trees = [tree.tree_ for tree in estimator.estimators_]

    def mean_of_trees(numbers: Matrix) -> Matrix:
        single_precision = numbers.astype(np.float32)
        total: Matrix = sum(tree.predict(single_precision) for tree in trees)
        return total / len(trees)

    return mean_of_trees
