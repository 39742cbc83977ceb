"""The classifiers that compete with the commonest rating. Imports scikit-learn: for the training only."""

from collections.abc import Callable
from typing import Any, Final

from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

SEED: Final = 0

CANDIDATES: Final[dict[str, Callable[[], Any]]] = {
    "regressao_logistica": lambda: make_pipeline(StandardScaler(), LogisticRegression(max_iter=1_000)),
    # The seed's: scikit-learn's own defaults. `n_jobs` would slow down the shop on the same machine.
    "floresta_aleatoria": lambda: RandomForestClassifier(random_state=SEED),
    # Few and shallow trees: on a thousand rows more of them only learn the noise.
    "boosting_de_gradiente": lambda: HistGradientBoostingClassifier(
        max_iter=30, max_depth=3, early_stopping=False, random_state=SEED
    ),
}
