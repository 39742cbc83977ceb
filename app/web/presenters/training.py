"""Models and their predictions. A card is as its training wrote it."""

from typing import Any

from app.core.catalogue import RATINGS
from app.core.runs import status_word
from app.core.training import Training
from app.services.model_store import ServedModel
from app.services.predictions import BatchPrediction
from app.web.presenters.common import Shape, present_duration, present_time
from ml.text_model import TextModel

_SUMMARY_KEYS = ("veredito", "frase", "acuracia", "acuracia_minima", "linha_de_base")
_TEXT_KEYS = ("semelhanca", "categorias_sugeridas")
_DIGITS = 6


def present_predictions(sent: list[dict[str, Any]], batch: BatchPrediction, *, details: bool) -> list[Shape]:
    """Return the predictions beside the books as the client sent them."""
    shapes: list[Shape] = [
        {"input": book, "prediction": prediction.rating}
        for book, prediction in zip(sent, batch.predictions, strict=True)
    ]
    if details:
        for shape, prediction, outliers in zip(
            shapes, batch.predictions, batch.out_of_distribution, strict=True
        ):
            shares = zip(RATINGS, prediction.probabilities, strict=True)
            shape["detalhes"] = {
                "probabilidades": {str(rating): round(share, _DIGITS) for rating, share in shares},
                "conjunto": prediction.feature_set,
                "fora_da_distribuicao": outliers,
            }
    return shapes


def present_training_progress(run: Training | None) -> Shape:
    """Return the progress of the newest training; public, so it has no user names."""
    if run is None:
        return {"status": status_word(run)}
    return {
        "status": status_word(run),
        "versao": run.id,
        "motivo": run.reason,
        "iniciado_em": present_time(run.started_at),
        "terminado_em": present_time(run.ended_at),
        "versao_catalogo": run.catalogue_version,
    }


def present_model_summary(run: Training, *, in_use: bool) -> Shape:
    return _facts(run, in_use=in_use) | {"treinado_por": run.started_by}


def present_model_card(run: Training, served: ServedModel, texts: TextModel) -> Shape:
    """Return the whole card, and whether this process serves it; public, so it has no user names."""
    return {
        **dict.fromkeys(_TEXT_KEYS),  # a card of an older release has none
        **(run.card or {}),
        **_facts(run, in_use=True),
        "sha256_textos": run.texts_digest,
        "servindo": served.verdict,
        "problema": served.problem,
        "servindo_textos": texts.verdict,
        "problema_textos": texts.problem,
    }


def _facts(run: Training, *, in_use: bool) -> Shape:
    card = run.card or {}
    return {
        "versao": run.id,
        "em_uso": in_use,
        "treinado_em": present_time(run.ended_at),
        "duracao_s": present_duration(run),
        "versao_catalogo": run.catalogue_version,
        **{name: card[name] for name in _SUMMARY_KEYS},
        "sha256": run.digest,
    }
