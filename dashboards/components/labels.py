"""The model's names as a reader says them."""

from __future__ import annotations

CANDIDATES = {
    "regressao_logistica": "Regressão logística",
    "floresta_aleatoria": "Floresta aleatória",
    "boosting_de_gradiente": "Boosting de gradiente",
}
FEATURE_SETS = {
    "basico": "Conjunto básico: preços e exemplares",
    "ampliado": "Conjunto ampliado: também título e categoria",
}
SETS = {"basico": "Básico", "ampliado": "Ampliado"}
FEATURES = {
    "preco_com_taxa": "Preço com taxa",
    "preco_sem_taxa": "Preço sem taxa",
    "disponibilidade": "Exemplares",
}


def stars(rating: int) -> str:
    return "★" * rating
