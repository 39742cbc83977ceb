"""Categories for books without one, learnt from the words of the others. Imports scikit-learn: for the training only.

A candidate's certainty is the margin of its best category over the second, calibrated by a logistic curve (Platt) on
books that were held out. Two parameters leave it little to overfit; what it promises is tested on books that it did not
see either.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy import stats
from sklearn.feature_extraction.text import TfidfTransformer
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import ComplementNB
from sklearn.pipeline import make_pipeline
from sklearn.svm import LinearSVC

from ml.candidates import SEED
from ml.compare import FOLDS, Comparison, PerSplit, Score, splits
from ml.text_model import UNSPECIFIED, Suggestion
from ml.texts import ALPHA, Texts

CANDIDATES: Final[dict[str, Callable[[], Any]]] = {
    "bayes_complementar": lambda: ComplementNB(alpha=0.5),
    "svm_linear": lambda: LinearSVC(random_state=SEED),
}
MIN_TEXTS: Final = 50
"""With fewer books of known category no difference could be distinguished from the noise."""
MAX_TEXTS: Final = 10_000
MAX_CATEGORIES: Final = 200
"""Bounds of the training's time and memory: a sample of the books, of the commonest categories."""
MIN_PRECISION: Final = 0.8
"""Least certainty of a proposal, and least precision of all of them on books that were held out."""
CONFIDENCE: Final = 0.95
"""With which that precision is no luck."""
MAX_CERTAINTY: Final = 0.99
GUESSES: Final = 3

Codes = NDArray[np.int64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class HeldOut:
    """What a candidate said of the books that it was not fitted on: of each split the margins, and which were right."""

    accuracies: PerSplit
    in_guesses: PerSplit
    margins: list[NDArray[np.float64]]
    right: list[Flags]


Certainty = Callable[[NDArray[np.float64]], NDArray[np.float64]]
"""From margins to the probability of being right."""


@dataclass(frozen=True, slots=True)
class Promise:
    """Of proposals on books held out from candidate and calibration: how many are right, and of how many books.

    `least_precision` is the lower bound of `precision` with CONFIDENCE; both are 0 where nothing was proposed.
    """

    precision: float
    least_precision: float
    coverage: float

    @property
    def kept(self) -> bool:
        return self.least_precision >= MIN_PRECISION


@dataclass(frozen=True, slots=True)
class Categories:
    """The baseline and the candidates beside it; of the chosen one, what it proposes, and how good that will be."""

    books: int
    commonest: str | None
    unspecified: int
    baseline: Score
    comparisons: list[Comparison]
    guesses: dict[str, float]
    suggestions: dict[int, Suggestion]
    chosen: Comparison | None = None
    promise: Promise | None = None


def learn(texts: Texts) -> Categories:
    """Compare the candidates, and propose categories if one beats the commonest by more than the noise."""
    names = np.array(texts.categories, dtype=object)
    learnt, unspecified = _learnt(texts.categories), np.flatnonzero(np.isin(names, UNSPECIFIED))
    counted = Counter(names[learnt].tolist())
    commonest = min(counted, key=lambda name: (-counted[name], name), default=None)
    share = counted[commonest] / len(learnt) if commonest is not None else 0.0
    if len(learnt) < MIN_TEXTS or len(counted) < 2 or max(counted.values()) < FOLDS or not texts.words:
        return Categories(len(learnt), commonest, len(unspecified), Score(share, 0.0), [], {}, {})
    known, codes = np.unique(names[learnt].astype(str), return_inverse=True)
    parts, counts = splits(codes), texts.counts[learnt]
    always = np.array([_share_of_commonest(codes, train, test) for train, test in parts])
    held_out = {name: _hold_out(make, counts, codes, parts) for name, make in CANDIDATES.items()}
    comparisons = [
        Comparison.of(name, None, held.accuracies, always, level=ALPHA / len(CANDIDATES))
        for name, held in held_out.items()
    ]
    guesses = {name: float(held.in_guesses.mean()) for name, held in held_out.items()}
    facts = (len(learnt), commonest, len(unspecified), Score.of(always), comparisons, guesses)
    promoted = [comparison for comparison in comparisons if comparison.promoted]
    if not promoted:
        return Categories(*facts, {})
    chosen = max(promoted, key=lambda comparison: comparison.score.mean)
    held = held_out[chosen.name]
    promise = assess_promise(held.margins, held.right)
    suggestions: dict[int, Suggestion] = {}
    if promise.kept and len(unspecified):
        certainty = calibrate(np.concatenate(held.margins), np.concatenate(held.right))
        model = _fit(CANDIDATES[chosen.name], counts, codes)
        best, margins = _best(_scores(model, texts.counts[unspecified]))
        suggestions = {
            int(texts.ids[position]): Suggestion(str(known[code]), float(sure))
            for position, code, sure in zip(unspecified, best, certainty(margins), strict=True)
            if sure >= MIN_PRECISION
        }
    return Categories(*facts, suggestions, chosen, promise)


def assess_promise(margins: Sequence[NDArray[np.float64]], right: Sequence[Flags]) -> Promise:
    """Propose for each split what a calibration on the other splits of its repetition is sure of."""
    made = good = 0
    for first in range(0, len(margins), FOLDS):
        parts = range(first, first + FOLDS)
        for part in parts:
            others = [other for other in parts if other != part]
            certainty = calibrate(
                np.concatenate([margins[other] for other in others]),
                np.concatenate([right[other] for other in others]),
            )
            sure = certainty(margins[part]) >= MIN_PRECISION
            made, good = made + int(sure.sum()), good + int(right[part][sure].sum())
    repeats = len(margins) // FOLDS  # each holds a book out once: it is one observation
    least = stats.beta.ppf(1 - CONFIDENCE, good / repeats, (made - good) / repeats + 1) if good else 0.0
    return Promise(good / made if made else 0.0, float(least), made / sum(map(len, right)))


def calibrate(margins: NDArray[np.float64], right: Flags) -> Certainty:
    """Fit Platt's curve, with his targets, which are never quite 0 or 1."""
    positive = int(right.sum())
    targets = np.where(right, (positive + 1) / (positive + 2), 1 / (len(right) - positive + 2))
    scale = float(margins.std()) or 1.0
    features = (margins / scale).reshape(-1, 1)
    curve = LogisticRegression(C=1e3).fit(
        np.vstack([features, features]),
        np.repeat([1, 0], len(margins)),
        sample_weight=np.concatenate([targets, 1 - targets]),
    )
    slope, intercept = float(curve.coef_[0, 0]), float(curve.intercept_[0])

    def certainty(margins: NDArray[np.float64]) -> NDArray[np.float64]:
        logits = np.clip(slope * margins / scale + intercept, -30, 30)
        return np.asarray(np.minimum(1 / (1 + np.exp(-logits)), MAX_CERTAINTY))

    return certainty


def _hold_out(make: Callable[[], Any], counts: Any, codes: Codes, parts: Sequence[Any]) -> HeldOut:
    held = HeldOut(np.empty(len(parts)), np.empty(len(parts)), [], [])
    for number, (train, test) in enumerate(parts):
        model = _fit(make, counts[train], codes[train])
        scores = _scores(model, counts[test])
        best, margins = _best(scores)
        right = model.classes_[best] == codes[test]
        guesses = model.classes_[np.argsort(-scores, axis=1, kind="stable")[:, :GUESSES]]
        held.accuracies[number] = right.mean()
        held.in_guesses[number] = (guesses == codes[test, None]).any(axis=1).mean()
        held.margins.append(margins)
        held.right.append(right)
    return held


def _fit(make: Callable[[], Any], counts: Any, codes: Codes) -> Any:
    return make_pipeline(TfidfTransformer(sublinear_tf=True), make()).fit(counts, codes)


def _scores(model: Any, counts: Any) -> NDArray[np.float64]:
    """Return one score for each book and category: the higher, the likelier."""
    ask = getattr(model, "decision_function", None) or model.predict_log_proba
    scores = np.asarray(ask(counts), dtype=np.float64)
    return scores if scores.ndim == 2 else np.column_stack([-scores, scores])


def _best(scores: NDArray[np.float64]) -> tuple[Codes, NDArray[np.float64]]:
    """Return the best category of each book, and by how much it beats the second."""
    top = np.sort(scores, axis=1)[:, -2:]
    return scores.argmax(axis=1), top[:, 1] - top[:, 0]


def _learnt(categories: Sequence[str]) -> NDArray[np.intp]:
    """Return the positions of the books to learn from, at most MAX_TEXTS of at most MAX_CATEGORIES."""
    counted = Counter(name for name in categories if name not in UNSPECIFIED)
    kept = {name for name, _ in counted.most_common(MAX_CATEGORIES)}
    positions = np.array([place for place, name in enumerate(categories) if name in kept], dtype=np.intp)
    if len(positions) > MAX_TEXTS:
        positions = np.sort(np.random.default_rng(SEED).choice(positions, MAX_TEXTS, replace=False))
    return positions


def _share_of_commonest(codes: Codes, train: Codes, test: Codes) -> float:
    return float((codes[test] == np.bincount(codes[train]).argmax()).mean())
