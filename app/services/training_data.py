"""The catalogue as models learn from it."""

from __future__ import annotations

from typing import Any

from app.core.catalogue import Catalogue


def training_rows(catalogue: Catalogue) -> list[dict[str, Any]]:
    """Every book with the seeds' six keys; prices are pounds."""
    frame = catalogue.books()
    columns = ("category", "stock", "pence_incl_tax", "pence_excl_tax", "rating", "title")
    return [
        {
            "categoria": category,
            "disponibilidade": stock,
            "preco_com_taxa": incl / 100,
            "preco_sem_taxa": excl / 100,
            "rating": rating,
            "titulo": title,
        }
        for category, stock, incl, excl, rating, title in zip(
            *(frame[name].tolist() for name in columns), strict=True
        )
    ]
