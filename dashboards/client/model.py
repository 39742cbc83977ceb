"""The rating model: its card, its newest training, and predictions."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import pandas as pd

from dashboards.client.http_client import HttpClient, HttpStatusError
from dashboards.client.parsing import parse_datetime, parse_table
from dashboards.client.text_model import TextCard, parse_text_card

CARD = "/api/v1/ml/model"
TRAINING = "/api/v1/ml/status"
PREDICTIONS = "/api/v1/ml/predictions"
BEATS_BASELINE, BASELINE, UNTRAINED, REJECTED = (
    "supera-a-linha-de-base",
    "linha-de-base",
    "sem-modelo",
    "artefato-recusado",
)
"""The API's verdicts."""
DRIFT_LIMIT = 0.25
"""Above this stability index (PSI) the inputs no longer look like the training data."""

_CANDIDATE = {
    "nome": str,
    "conjunto": str,
    "acuracia": float,
    "desvio": float,
    "ganho": float,
    "valor_p": float,
    "promovido": bool,
}


@dataclass(frozen=True, slots=True)
class ModelCard:
    """Accuracies are fractions of 1; `problem` says why `version` is not in use."""

    version: int
    trained_at: datetime | None
    catalogue_version: int
    verdict: str
    sentence: str
    accuracy: float
    baseline: float
    baseline_spread: float
    baseline_rating: int
    candidates: pd.DataFrame
    books: int
    by_rating: dict[int, int]
    libraries: dict[str, str]
    problem: str
    texts: TextCard | None


@dataclass(frozen=True, slots=True)
class Training:
    """The state of the newest training; before the first, `status` is "never" and the rest is empty."""

    status: str
    version: int | None
    reason: str
    started_at: datetime | None


@dataclass(frozen=True, slots=True)
class Prediction:
    """`feature_set` is what the model read, empty where the baseline predicted."""

    rating: int
    probabilities: dict[int, float]
    feature_set: str
    out_of_distribution: list[str]
    version: int
    verdict: str


def fetch_card(client: HttpClient) -> ModelCard | None:
    """Return None while there is no model."""
    try:
        response = client.get(CARD)
    except HttpStatusError as error:
        if error.status == 404:
            return None
        raise
    with client.parsing(CARD):
        body = response.json()
        baseline, data = body["linha_de_base"], body["dados"]
        return ModelCard(
            version=int(body["versao"]),
            trained_at=parse_datetime(body["treinado_em"]),
            catalogue_version=int(body["versao_catalogo"]),
            verdict=str(body["veredito"]),
            sentence=str(body["frase"]),
            accuracy=float(body["acuracia"]),
            baseline=float(baseline["acuracia"]),
            baseline_spread=float(baseline["desvio"]),
            baseline_rating=int(baseline["rating"]),
            candidates=parse_table(body["candidatos"], _CANDIDATE),
            books=int(data["linhas"]),
            by_rating={int(rating): int(count) for rating, count in data["classes"].items()},
            libraries={str(name): str(version) for name, version in body["bibliotecas"].items()},
            problem=str(body["problema"] or ""),
            texts=parse_text_card(body),
        )


def fetch_training(client: HttpClient) -> Training:
    with client.parsing(TRAINING):
        body = client.get(TRAINING).json()
        version = body.get("versao")
        return Training(
            status=str(body["status"]),
            version=None if version is None else int(version),
            reason=str(body.get("motivo") or ""),
            started_at=parse_datetime(body.get("iniciado_em")),
        )


def predict(client: HttpClient, book: Mapping[str, float | int]) -> Prediction:
    response = client.post(PREDICTIONS, [dict(book)], {"detalhes": 1})
    with client.parsing(PREDICTIONS):
        body = response.json()
        details = body[0]["detalhes"]
        return Prediction(
            rating=int(body[0]["prediction"]),
            probabilities={int(rating): float(share) for rating, share in details["probabilidades"].items()},
            feature_set=str(details["conjunto"] or ""),
            out_of_distribution=[str(feature) for feature in details["fora_da_distribuicao"]],
            version=int(response.headers["X-Model-Version"]),
            verdict=str(response.headers["X-Model-Verdict"]),
        )
