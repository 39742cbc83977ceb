"""Predictions of a trained model, or of the baseline. scikit-learn is imported only where estimators are."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ml.features import RATINGS, FeatureSet, Matrix, Row, commonest, has_extended, matrix

Ask = Callable[[Matrix], Matrix]


@dataclass(frozen=True, slots=True)
class Prediction:
    """`probabilities` are of the ratings 1 to 5; `feature_set` is None where the baseline answered."""

    rating: int
    probabilities: tuple[float, ...]
    feature_set: FeatureSet | None


class Predictor:
    """Answers for rows with what was fitted for the features that they have. Never changes: safe to share."""

    def __init__(
        self, counts: Mapping[int, int], estimators: Mapping[str, Any], categories: Sequence[str]
    ) -> None:
        """`counts` are the ratings of the training data, which the baseline answers from."""
        total = sum(counts.values())
        shares = tuple(counts[rating] / total if total else 1 / len(RATINGS) for rating in RATINGS)
        self._baseline = Prediction(commonest(counts), shares, None)
        self._ask = {FeatureSet(name): _way_to_ask(estimator) for name, estimator in estimators.items()}
        self._categories = categories
        self._known_categories = frozenset(categories)

    def predict(self, rows: Sequence[Row]) -> list[Prediction]:
        """One prediction for each of `rows`, in their order."""
        answers = [self._baseline] * len(rows)
        places: dict[FeatureSet, list[int]] = {}
        for place, row in enumerate(rows):
            feature_set = self._set_for(row)
            if feature_set is not None:
                places.setdefault(feature_set, []).append(place)
        for feature_set, asked in places.items():
            numbers = matrix([rows[place] for place in asked], feature_set, self._categories)
            for place, probabilities in zip(asked, self._ask[feature_set](numbers), strict=True):
                best = RATINGS[int(probabilities.argmax())]
                answers[place] = Prediction(best, tuple(probabilities.tolist()), feature_set)
        return answers

    def _set_for(self, row: Row) -> FeatureSet | None:
        # Of a category that it has never seen, a model of categories knows nothing.
        known = has_extended(row) and row["categoria"] in self._known_categories
        if known and FeatureSet.EXTENDED in self._ask:
            return FeatureSet.EXTENDED
        return FeatureSet.BASIC if FeatureSet.BASIC in self._ask else None


def _way_to_ask(estimator: Any) -> Ask:
    """The probabilities of the five ratings for each line of a matrix, in the cheapest way `estimator` has."""
    columns = [RATINGS.index(int(rating)) for rating in estimator.classes_]
    ask = _forest_trees(estimator) or estimator.predict_proba

    def all_ratings(numbers: Matrix) -> Matrix:
        probabilities = np.zeros((len(numbers), len(RATINGS)))
        probabilities[:, columns] = ask(numbers)
        return probabilities

    return all_ratings


def _forest_trees(estimator: Any) -> Ask | None:
    """A forest's own trees, asked one after the other; None for anything but a forest.

    Its `predict_proba` hands every tree to a pool of threads and checks the input anew for each, which for one row
    costs many times the answer (benchmarks/predict.py). The mean of the trees is what it computes, too.
    """
    from sklearn.ensemble import RandomForestClassifier

    if not isinstance(estimator, RandomForestClassifier):
        return None
    trees = [tree.tree_ for tree in estimator.estimators_]

    def mean_of_trees(numbers: Matrix) -> Matrix:
        as_trees_read = numbers.astype(np.float32)
        total: Matrix = sum(tree.predict(as_trees_read) for tree in trees)
        return total / len(trees)

    return mean_of_trees
