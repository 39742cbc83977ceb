"""The part of the model card about texts: likeness and proposed categories, beside what chance or habit gives.

Like the rest of the card, its keys are Portuguese and it holds nothing that differs between two trainings on the same
texts.
"""

from typing import Any, Final

from ml.card import percent, rounded
from ml.categories import CONFIDENCE, GUESSES, MIN_PRECISION, Categories
from ml.compare import Comparison
from ml.likeness import FLOOR, PLACES, Likeness
from ml.text_model import UNSPECIFIED
from ml.verdict import Verdict

_LABELS: Final = {
    "bayes_complementar": "O Bayes ingênuo complementar",
    "svm_linear": "A máquina de vetores de suporte linear",
}


def likeness_card(likeness: Likeness, words: int) -> dict[str, Any]:
    """Return what is known of the likeness; shares are fractions of 1 (keys: docs/machine-learning.md)."""
    verdict = Verdict.BEATS_BASELINE if likeness.promoted else Verdict.BASELINE
    return {
        "veredito": verdict.value,
        "frase": _likeness_sentence(likeness),
        "mesma_categoria": rounded(likeness.share),
        "acaso": rounded(likeness.chance),
        "valor_p": rounded(likeness.p_value),
        "lugares": PLACES,
        "similaridade_minima": FLOOR,
        "livros": likeness.books,
        "com_semelhantes": likeness.with_neighbours,
        "palavras": words,
    }


def categories_card(found: Categories) -> dict[str, Any]:
    """Return what is known of the proposed categories; shares are fractions of 1."""
    promise = found.promise
    return {
        "veredito": (Verdict.BEATS_BASELINE if found.chosen else Verdict.BASELINE).value,
        "frase": _categories_sentence(found),
        "linha_de_base": {
            "categoria": found.commonest,
            "acuracia": rounded(found.baseline.mean),
            "desvio": rounded(found.baseline.spread),
        },
        "candidatos": [_candidate(comparison, found) for comparison in found.comparisons],
        "escolhido": found.chosen.name if found.chosen else None,
        "palpites": GUESSES,
        "certeza_minima": MIN_PRECISION,
        "precisao_esperada": rounded(promise.precision) if promise else None,
        "precisao_minima": rounded(promise.least_precision) if promise else None,
        "cobertura_esperada": rounded(promise.coverage) if promise else None,
        "livros": found.books,
        "sem_categoria": found.unspecified,
        "nomes_sem_categoria": list(UNSPECIFIED),
        "propostas": len(found.suggestions),
    }


def _candidate(comparison: Comparison, found: Categories) -> dict[str, Any]:
    return {
        "nome": comparison.name,
        "acuracia": rounded(comparison.score.mean),
        "desvio": rounded(comparison.score.spread),
        "acuracia_em_palpites": rounded(found.guesses[comparison.name]),
        "ganho": rounded(comparison.gain),
        "ganho_minimo": rounded(comparison.least_gain),
        "valor_p": rounded(comparison.p_value),
        "promovido": comparison.promoted,
    }


def _likeness_sentence(likeness: Likeness) -> str:
    if likeness.promoted:
        return (
            f"Dos {PLACES} primeiros livros parecidos, {percent(likeness.share)} são da mesma categoria, contra "
            f"{percent(likeness.chance)} de livros sorteados: mais do que o acaso explica."
        )
    return (
        f"Os livros de textos parecidos não são da mesma categoria mais do que o acaso explica "
        f"({percent(likeness.share)} contra {percent(likeness.chance)}): não se mostra nenhum."
    )


def _categories_sentence(found: Categories) -> str:
    if not found.comparisons:
        return f"Dados insuficientes para aprender categorias ({found.books} livros): não se propõe nenhuma."
    best = found.chosen or max(found.comparisons, key=lambda comparison: comparison.score.mean)
    if found.chosen is None or found.promise is None:
        return (
            f"Nenhum candidato supera responder sempre a categoria mais comum ({percent(found.baseline.mean)} de "
            f"acerto) além do que o acaso explica; o melhor acertou {percent(best.score.mean)}. Não se propõe nenhuma."
        )
    beats = (
        f"{_LABELS[best.name]} acertou {percent(best.score.mean)}, contra {percent(found.baseline.mean)} de responder "
        f"sempre a categoria mais comum, e {percent(found.guesses[best.name])} em {GUESSES} palpites."
    )
    if not found.promise.kept:
        return (
            f"{beats} Nem das respostas mais seguras se sabe com {CONFIDENCE:.0%} de confiança que acertam "
            f"{MIN_PRECISION:.0%}: não se propõe nenhuma."
        )
    return (
        f"{beats} Só propõe categoria com {MIN_PRECISION:.0%} de certeza ou mais: em livros separados para teste, "
        f"acertou {percent(found.promise.precision)} dessas propostas, feitas para "
        f"{percent(found.promise.coverage)} dos livros."
    )
