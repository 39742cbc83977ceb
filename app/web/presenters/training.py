"""What clients see of models and their predictions. A card is shown as its training wrote it."""

from __future__ import annotations

from typing import Any

from app.core.catalogue import RATINGS, Catalogue
from app.core.runs import RunStatus
from app.services.model_store import ServedModel
from app.services.predictions import Predicted
from app.storage.models import TrainingRow
from app.web.presenters.catalogue import present_books
from app.web.presenters.common import Shape, present_time
from ml.features import TRAINING_KEYS

_SUMMED_UP = ("veredito", "frase", "acuracia", "acuracia_minima", "linha_de_base")
_DIGITS = 6


def present_training_books(catalogue: Catalogue) -> list[Shape]:
    """Every book with the seeds' six keys, as clients see them and the training reads them."""
    return present_books(catalogue.books(), TRAINING_KEYS)


def present_predictions(sent: list[dict[str, Any]], predicted: Predicted, *, details: bool) -> list[Shape]:
    """The predictions beside what the client sent, as it sent it."""
    shapes: list[Shape] = [
        {"input": book, "prediction": prediction.rating}
        for book, prediction in zip(sent, predicted.predictions, strict=True)
    ]
    if details:
        for shape, prediction, far_out in zip(shapes, predicted.predictions, predicted.far_out, strict=True):
            shares = zip(RATINGS, prediction.probabilities, strict=True)
            shape["detalhes"] = {
                "probabilidades": {str(rating): round(share, _DIGITS) for rating, share in shares},
                "conjunto": prediction.feature_set,
                "fora_da_distribuicao": far_out,
            }
    return shapes


def present_training_progress(row: TrainingRow | None) -> Shape:
    """How the newest training stands; public, so it names nobody."""
    if row is None:
        return {"status": "never"}
    return {
        "status": RunStatus(row.status).shown,
        "versao": row.id,
        "motivo": row.reason,
        "iniciado_em": present_time(row.started_at),
        "terminado_em": present_time(row.ended_at),
        "versao_catalogo": row.catalogue_version,
    }


def present_model_summary(row: TrainingRow, *, in_use: bool) -> Shape:
    return _facts(row, in_use=in_use) | {"treinado_por": row.started_by}


def present_model_card(row: TrainingRow, served: ServedModel) -> Shape:
    """The whole card, and what this process makes of it; public, so it names nobody."""
    return {
        **(row.card or {}),
        **_facts(row, in_use=True),
        "servindo": served.verdict,
        "problema": served.problem,
    }


def _facts(row: TrainingRow, *, in_use: bool) -> Shape:
    card = row.card or {}
    return {
        "versao": row.id,
        "em_uso": in_use,
        "treinado_em": present_time(row.ended_at),
        "duracao_s": round((row.ended_at - row.started_at).total_seconds(), 3) if row.ended_at else None,
        "versao_catalogo": row.catalogue_version,
        **{name: card[name] for name in _SUMMED_UP},
        "sha256": row.digest,
    }
