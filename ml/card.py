"""The model card: data, candidates, scores, and one honest sentence about them.

Its keys are Portuguese, as clients read it unchanged. It holds nothing that differs between two trainings on the
same data, such as the time.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from ml.artefact import FORMAT, library_versions
from ml.candidates import SEED
from ml.compare import ALPHA, COMPARISONS, FOLDS, REPEATS, Comparison, Score
from ml.drift import Profile
from ml.features import FeatureSet, Row, commonest, count_ratings, digest_of_rows, feature_names
from ml.verdict import Verdict

Card = dict[str, Any]

_DIGITS: Final = 6
_EVALUATION: Final = {
    "pontuacao": "acuracia",
    "partes": FOLDS,
    "repeticoes": REPEATS,
    "semente": SEED,
    "teste": "t reamostrado corrigido (Nadeau e Bengio, 2003), unilateral, com Bonferroni",
    "alfa": ALPHA,
    "comparacoes": COMPARISONS,
}
_LABELS: Final = {
    "regressao_logistica": "A regressão logística",
    "floresta_aleatoria": "A floresta aleatória",
    "boosting_de_gradiente": "O boosting de gradiente",
    FeatureSet.BASIC: "básico",
    FeatureSet.EXTENDED: "ampliado",
}


def make_card(
    rows: Sequence[Row],
    categories: Sequence[str],
    baseline: Score,
    comparisons: Sequence[Comparison],
    chosen: Mapping[FeatureSet, Comparison],
) -> Card:
    """Make the card; shares and accuracies are fractions of 1, prices pounds (keys: docs/machine-learning.md)."""
    counts = count_ratings(rows)
    classes = {str(rating): count for rating, count in counts.items()}
    best = max(chosen.values(), key=lambda comparison: comparison.score.mean, default=None)
    return {
        "formato": FORMAT,
        "veredito": Verdict.BEATS_BASELINE.value if best else Verdict.BASELINE.value,
        "frase": _sentence(rows, baseline, comparisons, best),
        "acuracia": rounded(best.score.mean if best else baseline.mean),
        "acuracia_minima": rounded(baseline.mean + (best.least_gain if best else 0)),
        "linha_de_base": {
            "rating": commonest(counts),
            "acuracia": rounded(baseline.mean),
            "desvio": rounded(baseline.spread),
        },
        "candidatos": [_comparison_as_json(comparison) for comparison in comparisons],
        "escolhidos": {
            feature_set.value: chosen[feature_set].name if feature_set in chosen else None
            for feature_set in FeatureSet
        },
        "avaliacao": _EVALUATION,
        "dados": {"linhas": len(rows), "sha256": digest_of_rows(rows), "classes": classes},
        "atributos": {
            feature_set.value: feature_names(feature_set, categories) for feature_set in FeatureSet
        },
        "categorias": list(categories),
        "perfil": Profile.of(rows).as_json(),
        "bibliotecas": library_versions(),
    }


def _sentence(
    rows: Sequence[Row], baseline: Score, comparisons: Sequence[Comparison], best: Comparison | None
) -> str:
    if not comparisons:
        return f"Dados insuficientes para comparar candidatos ({len(rows)} livros): serve-se a avaliação mais comum."
    if best is not None:
        return (
            f"{_LABELS[best.name]} (conjunto {_LABELS[str(best.feature_set)]}) acertou {percent(best.score.mean)}, ao "
            f"menos {percent(baseline.mean + best.least_gain)} com {1 - ALPHA:.0%} de confiança, contra "
            f"{percent(baseline.mean)} de responder sempre a avaliação mais comum: mais do que o acaso explica."
        )
    nearest = max(comparisons, key=lambda comparison: comparison.score.mean)
    return (
        f"Nenhum candidato supera responder sempre a avaliação mais comum ({percent(baseline.mean)} de acerto) além "
        f"do que o acaso explica; o melhor acertou {percent(nearest.score.mean)}. Serve-se a avaliação mais comum."
    )


def _comparison_as_json(comparison: Comparison) -> dict[str, Any]:
    return {
        "nome": comparison.name,
        "conjunto": str(comparison.feature_set),
        "acuracia": rounded(comparison.score.mean),
        "desvio": rounded(comparison.score.spread),
        "ganho": rounded(comparison.gain),
        "ganho_minimo": rounded(comparison.least_gain),
        "valor_p": rounded(comparison.p_value),
        "promovido": comparison.promoted,
    }


def rounded(number: float) -> float:
    """Return a figure as the card shows it."""
    return round(number, _DIGITS)


def percent(share: float) -> str:
    """Return a fraction as a Brazilian reads it."""
    return f"{100 * share:.1f}%".replace(".", ",")
