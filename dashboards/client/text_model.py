"""What the model found in the texts of the books: its part of the card."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from dashboards.client.parsing import parse_number, parse_table

_CANDIDATE = {
    "nome": str,
    "acuracia": float,
    "desvio": float,
    "acuracia_em_palpites": float,
    "promovido": bool,
}


@dataclass(frozen=True, slots=True)
class LikenessScore:
    """Shares are fractions of 1: of similar books, and of books paired by chance, that share a category."""

    sentence: str
    share: float
    chance: float
    places: int
    with_neighbours: int


@dataclass(frozen=True, slots=True)
class CategoriesScore:
    """Accuracies are fractions of 1; `precision` and `coverage` are None where nothing beats the baseline."""

    sentence: str
    candidates: pd.DataFrame
    chosen: str
    baseline: float
    baseline_category: str
    guesses: int
    precision: float | None
    coverage: float | None
    unspecified: int
    proposals: int


@dataclass(frozen=True, slots=True)
class TextCard:
    """`problem` says why nothing of it is shown with the books."""

    likeness: LikenessScore
    categories: CategoriesScore
    problem: str


def parse_text_card(body: Mapping[str, Any]) -> TextCard | None:
    """Return None for the model of an older release, which read no texts."""
    likeness, categories = body.get("semelhanca"), body.get("categorias_sugeridas")
    if likeness is None or categories is None:
        return None
    baseline = categories["linha_de_base"]
    return TextCard(
        LikenessScore(
            sentence=str(likeness["frase"]),
            share=float(likeness["mesma_categoria"]),
            chance=float(likeness["acaso"]),
            places=int(likeness["lugares"]),
            with_neighbours=int(likeness["com_semelhantes"]),
        ),
        CategoriesScore(
            sentence=str(categories["frase"]),
            candidates=parse_table(categories["candidatos"], _CANDIDATE),
            chosen=str(categories["escolhido"] or ""),
            baseline=float(baseline["acuracia"]),
            baseline_category=str(baseline["categoria"] or ""),
            guesses=int(categories["palpites"]),
            precision=parse_number(categories["precisao_esperada"]),
            coverage=parse_number(categories["cobertura_esperada"]),
            unspecified=int(categories["sem_categoria"]),
            proposals=int(categories["propostas"]),
        ),
        str(body.get("problema_textos") or ""),
    )
