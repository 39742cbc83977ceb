"""Books and figures of the catalogue."""

from decimal import Decimal
from typing import Any

import pandas as pd

from app.core.catalogue import Book, CategorySummary, Overview
from app.web.presenters.common import Shape

PRICED_BOOK = ("id", "titulo", "categoria", "preco_com_taxa")
RATED_BOOK = (*PRICED_BOOK, "preco_sem_taxa", "rating")
LISTED_BOOK = (*RATED_BOOK, "disponibilidade")
BOOK_DETAIL = (*LISTED_BOOK, "url_imagem")


_COLUMNS = {
    "id": "id",
    "titulo": "title",
    "categoria": "category",
    "preco_com_taxa": "pence_incl_tax",
    "preco_sem_taxa": "pence_excl_tax",
    "rating": "rating",
    "disponibilidade": "stock",
    "url_imagem": "image_url",
}


def present_books(frame: pd.DataFrame, keys: tuple[str, ...]) -> list[Shape]:
    """Return the books of a catalogue's frame with `keys`."""
    columns = [_values(frame, key) for key in keys]
    return [dict(zip(keys, row, strict=True)) for row in zip(*columns, strict=True)]


def present_book(book: Book) -> Shape:
    return {
        "id": book.id,
        "titulo": book.title,
        "categoria": book.category,
        "preco_com_taxa": float(book.price_incl_tax),
        "preco_sem_taxa": float(book.price_excl_tax),
        "rating": book.rating,
        "disponibilidade": book.stock,
        "url_imagem": book.image_url,
    }


def present_overview(figures: Overview) -> Shape:
    return {
        "total_livros": figures.books,
        "preco_medio_com_taxa": _amount(figures.mean_price_incl_tax),
        "preco_medio_sem_taxa": _amount(figures.mean_price_excl_tax),
        "distribuicao_ratings": {str(rating): count for rating, count in figures.by_rating.items()},
    }


def present_category_summary(summary: CategorySummary) -> Shape:
    return {
        "categoria": summary.category,
        "quantidade_livros": summary.books,
        "preco_medio_com_taxa": _amount(summary.mean_price_incl_tax),
        "preco_medio_sem_taxa": _amount(summary.mean_price_excl_tax),
    }


def _values(frame: pd.DataFrame, key: str) -> list[Any]:
    column = frame[_COLUMNS[key]]
    # Dividing whole pence gives the float nearest to the price, which prints as its two decimals.
    values: list[Any] = (column / 100 if key.startswith("preco") else column).tolist()
    return values


def _amount(value: Decimal | None) -> float | None:
    return None if value is None else float(value)
