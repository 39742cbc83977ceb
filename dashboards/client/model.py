"""What the API says about its model and with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import pandas as pd

from dashboards.client.http_client import Refused, Server
from dashboards.client.parsing import Checked, moment, table

CARD = "/api/v1/ml/model"
TRAINING = "/api/v1/ml/status"
PREDICTIONS = "/api/v1/ml/predictions"
BEATS, BASELINE, UNTRAINED, REFUSED = (
    "supera-a-linha-de-base",
    "linha-de-base",
    "sem-modelo",
    "artefato-recusado",
)
DRIFTED = 0.25
"""From here on a stability index (PSI) means that what is asked no longer looks like the training data."""

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
class Card:
    """Accuracies are fractions of 1; `problem` says why `version` is not what answers."""

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


@dataclass(frozen=True, slots=True)
class Training:
    """How the newest training stands; only `status` is there if there was none."""

    status: str
    version: int | None
    reason: str
    started_at: datetime | None


@dataclass(frozen=True, slots=True)
class Prediction:
    """`feature_set` is what the model read, empty where the commonest rating answered."""

    rating: int
    probabilities: dict[int, float]
    feature_set: str
    far_out: list[str]
    version: int
    verdict: str


def read_card(server: Server) -> Card | None:
    """None while there is no model."""
    try:
        answer = server.json(CARD)
    except Refused as refusal:
        if refusal.status == 404:
            return None
        raise
    with Checked(server, CARD):
        baseline, data = answer["linha_de_base"], answer["dados"]
        return Card(
            version=int(answer["versao"]),
            trained_at=moment(answer["treinado_em"]),
            catalogue_version=int(answer["versao_catalogo"]),
            verdict=str(answer["veredito"]),
            sentence=str(answer["frase"]),
            accuracy=float(answer["acuracia"]),
            baseline=float(baseline["acuracia"]),
            baseline_spread=float(baseline["desvio"]),
            baseline_rating=int(baseline["rating"]),
            candidates=table(answer["candidatos"], _CANDIDATE),
            books=int(data["linhas"]),
            by_rating={int(rating): int(count) for rating, count in data["classes"].items()},
            libraries={str(name): str(version) for name, version in answer["bibliotecas"].items()},
            problem=str(answer["problema"] or ""),
        )


def read_training(server: Server) -> Training:
    answer = server.json(TRAINING)
    with Checked(server, TRAINING):
        version = answer.get("versao")
        return Training(
            status=str(answer["status"]),
            version=None if version is None else int(version),
            reason=str(answer.get("motivo") or ""),
            started_at=moment(answer.get("iniciado_em")),
        )


def predict(server: Server, book: Mapping[str, float | int]) -> Prediction:
    answer = server.post(PREDICTIONS, [dict(book)], {"detalhes": 1})
    shown = server.decoded(PREDICTIONS, answer)
    with Checked(server, PREDICTIONS):
        details = shown[0]["detalhes"]
        return Prediction(
            rating=int(shown[0]["prediction"]),
            probabilities={int(key): float(share) for key, share in details["probabilidades"].items()},
            feature_set=str(details["conjunto"] or ""),
            far_out=[str(feature) for feature in details["fora_da_distribuicao"]],
            version=int(answer.headers["X-Model-Version"]),
            verdict=str(answer.headers["X-Model-Verdict"]),
        )
