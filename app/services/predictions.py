"""Predictions, and the drift of their inputs from the training data."""

import threading
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from app.observability.metrics import Metrics
from app.services.model_store import ModelStore, ServedModel
from ml.drift import Window
from ml.features import BASIC_FEATURES, Row
from ml.predict import Prediction
from ml.verdict import Verdict


@dataclass(frozen=True, slots=True)
class BatchPrediction:
    """One model's predictions for the rows of a batch, and the features of every row that are out of distribution."""

    model: ServedModel
    predictions: list[Prediction]
    out_of_distribution: list[list[str]]

    @property
    def verdict(self) -> Verdict:
        """The model's verdict, or the baseline's where the baseline has made all predictions."""
        if self.predictions and all(prediction.feature_set is None for prediction in self.predictions):
            return Verdict.BASELINE if self.model.verdict is Verdict.BEATS_BASELINE else self.model.verdict
        return self.model.verdict


class Predictions:
    """Predicts with the model of this process. `_lock` protects the window, which begins anew with a new model."""

    def __init__(self, models: ModelStore, metrics: Metrics) -> None:
        self._models = models
        self._metrics = metrics
        self._lock = threading.Lock()
        self._window: Window | None = None
        self._window_of: ServedModel | None = None

    def predict(self, rows: Sequence[Row]) -> BatchPrediction:
        """Predict the ratings of all `rows` with one model."""
        model = self._models.current()
        predictions = model.predictor.predict(rows)
        outliers = [model.profile.out_of_distribution(row) if model.profile else [] for row in rows]
        self._metrics.count_predictions(Counter(prediction.rating for prediction in predictions))
        self._metrics.count_out_of_distribution(
            Counter(feature for features in outliers for feature in features)
        )
        if rows:
            self._track_drift(model, rows)
        return BatchPrediction(model, predictions, outliers)

    def _track_drift(self, model: ServedModel, rows: Sequence[Row]) -> None:
        with self._lock:
            if self._window_of is not model:
                self._window = Window(model.profile) if model.profile else None
                self._window_of = model
                self._metrics.set_drift(dict.fromkeys(BASIC_FEATURES, 0.0))
            if self._window is not None:
                self._window.add(rows)
                self._metrics.set_drift(self._window.indices())
