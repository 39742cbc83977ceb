"""Predictions, and whether what is asked still looks like what the model learnt from."""

from __future__ import annotations

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
class Predicted:
    """One model's answer to a whole batch: a prediction for each row, and its features that are far out."""

    model: ServedModel
    predictions: list[Prediction]
    far_out: list[list[str]]

    @property
    def verdict(self) -> Verdict:
        """What to think of these answers: a real model may have had nothing to say about any of them."""
        if self.predictions and all(each.feature_set is None for each in self.predictions):
            return Verdict.BASELINE if self.model.verdict is Verdict.BEATS_BASELINE else self.model.verdict
        return self.model.verdict


class Predictions:
    """Asks the model of this process. `_lock` protects the window, which begins anew with each version."""

    def __init__(self, models: ModelStore, metrics: Metrics) -> None:
        self._models = models
        self._metrics = metrics
        self._lock = threading.Lock()
        self._window: Window | None = None
        self._window_of: ServedModel | None = None

    def predict(self, rows: Sequence[Row]) -> Predicted:
        """Answer all of `rows` with the model that is served now."""
        model = self._models.current()
        predictions = model.predictor.predict(rows)
        far_out = [model.profile.out_of_distribution(row) if model.profile else [] for row in rows]
        self._metrics.count_predictions(Counter(prediction.rating for prediction in predictions))
        self._metrics.count_out_of_distribution(
            Counter(feature for features in far_out for feature in features)
        )
        if rows:
            self._watch(model, rows)
        return Predicted(model, predictions, far_out)

    def _watch(self, model: ServedModel, rows: Sequence[Row]) -> None:
        with self._lock:
            if self._window_of is not model:
                self._window = Window(model.profile) if model.profile else None
                self._window_of = model
                self._metrics.set_drift(dict.fromkeys(BASIC_FEATURES, 0.0))
            if self._window is not None:
                self._window.add(rows)
                self._metrics.set_drift(self._window.indices())
