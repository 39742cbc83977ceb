"""Which candidates beat the baseline by more than the noise. Imports scikit-learn: for the training only.

Every candidate and the baseline are scored on the same FOLDS x REPEATS splits. The scores of repeated splits
share training data, so that an ordinary t-test finds differences where there are none; the corrected
resampled t-test (Nadeau and Bengio, Inference for the Generalization Error, Machine Learning 52, 2003,
section 5) widens the variance for it. The test is one-sided, and ALPHA is divided by the number of comparisons
(Bonferroni): if the features say nothing, at most a share ALPHA of all trainings promotes any candidate.
"""

import math
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Self

import numpy as np
from numpy.typing import NDArray
from scipy import stats
from sklearn.dummy import DummyClassifier
from sklearn.model_selection import RepeatedStratifiedKFold, cross_val_score

from ml.candidates import CANDIDATES, SEED
from ml.features import FeatureSet, Matrix

FOLDS: Final = 5
REPEATS: Final = 3
ALPHA: Final = 0.05
COMPARISONS: Final = len(CANDIDATES) * len(FeatureSet)
LEVEL: Final = ALPHA / COMPARISONS

PerSplit = NDArray[np.float64]
"""One number for each split."""


@dataclass(frozen=True, slots=True)
class Score:
    """Accuracy over all splits, a fraction of 1: its mean and its standard deviation."""

    mean: float
    spread: float

    @classmethod
    def of(cls, accuracies: PerSplit) -> Self:
        return cls(float(accuracies.mean()), float(accuracies.std(ddof=1)))


@dataclass(frozen=True, slots=True)
class Comparison:
    """A candidate beside the baseline; `p_value` is the chance of such a gain if there is nothing to gain.

    `feature_set` is None where the texts are the only one, `level` the p below which it beats the baseline.
    `least_gain` is a lower bound of the gain, with a confidence of 1 - ALPHA for all candidates at once: it holds for
    the best one, too, while the `gain` of the best of several is partly luck.
    """

    name: str
    feature_set: FeatureSet | None
    score: Score
    gain: float
    least_gain: float
    p_value: float
    level: float = LEVEL

    @classmethod
    def of(
        cls,
        name: str,
        feature_set: FeatureSet | None,
        accuracies: PerSplit,
        baseline: PerSplit,
        level: float = LEVEL,
    ) -> Self:
        score, gains = Score.of(accuracies), accuracies - baseline
        least_gain = least_gain_of(gains, level)
        return cls(name, feature_set, score, float(gains.mean()), least_gain, p_value_of(gains), level)

    @property
    def promoted(self) -> bool:
        return self.p_value < self.level


def cross_validate(
    matrices: Mapping[FeatureSet, Matrix], labels: NDArray[np.int64]
) -> tuple[Score, list[Comparison]]:
    """Score the baseline, and every candidate on every feature set beside it."""
    parts = splits(labels)
    baseline = _accuracies(
        DummyClassifier(strategy="most_frequent"), matrices[FeatureSet.BASIC], labels, parts
    )
    comparisons = [
        Comparison.of(name, feature_set, _accuracies(make(), matrix, labels, parts), baseline)
        for feature_set, matrix in matrices.items()
        for name, make in CANDIDATES.items()
    ]
    return Score.of(baseline), comparisons


def p_value_of(gains: PerSplit) -> float:
    """Return the one-sided p of the corrected resampled t-test that the mean of `gains` is above 0."""
    mean, error = float(gains.mean()), _standard_error(gains)
    if error == 0:
        return 0.0 if mean > 0 else 1.0
    return float(stats.t.sf(mean / error, df=len(gains) - 1))


def least_gain_of(gains: PerSplit, level: float = LEVEL) -> float:
    """Return the lower end of the same test's confidence interval for the mean."""
    quantile = float(stats.t.isf(level, df=len(gains) - 1))
    return float(gains.mean()) - quantile * _standard_error(gains)


def _standard_error(gains: PerSplit) -> float:
    tested_to_trained = 1 / (FOLDS - 1)
    return math.sqrt((1 / len(gains) + tested_to_trained) * float(gains.var(ddof=1)))


def splits(labels: NDArray[np.int64]) -> list[tuple[Any, Any]]:
    """Return the positions to train and to test on of every split."""
    folds = RepeatedStratifiedKFold(n_splits=FOLDS, n_repeats=REPEATS, random_state=SEED)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "The least populated class", UserWarning)  # in some folds only
        return list(folds.split(np.zeros(len(labels)), labels))


def _accuracies(estimator: Any, matrix: Matrix, labels: NDArray[np.int64], parts: Sequence[Any]) -> PerSplit:
    scores: PerSplit = cross_val_score(
        estimator, matrix, labels, cv=parts, scoring="accuracy", error_score="raise"
    )
    return scores
