"""The columns `diferenca` and `contagem`: what a scraping run changed, in an encoding that older releases share."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, Final, TypeVar

from app.core.scraping import Change, ChangeKind, Difference, Pair, ReportedBook, StoredBook
from scraper.book import ScrapedBook

V = TypeVar("V")

_KINDS: Final = {
    "adicionados": ChangeKind.ADDED,
    "removidos": ChangeKind.REMOVED,
    "reprecificados": ChangeKind.REPRICED,
    "reestocados": ChangeKind.RESTOCKED,
    "editados": ChangeKind.EDITED,
}


def encode_difference(difference: Difference) -> dict[str, list[dict[str, Any]]]:
    return {
        "adicionados": [_listed(book) for book in (*difference.added, *difference.returned)],
        "removidos": [_listed(book) for book in difference.removed],
        "reprecificados": [
            _named(change.after)
            | {
                "preco_com_taxa": _pair(change, lambda page: float(page.price_incl_tax)),
                "preco_sem_taxa": _pair(change, lambda page: float(page.price_excl_tax)),
            }
            for change in difference.repriced
        ],
        "reestocados": [
            _named(change.after) | {"disponibilidade": _pair(change, lambda page: page.stock)}
            for change in difference.restocked
        ],
        "editados": [_named(change.after) for change in difference.edited],
    }


def decode_counts(counts: Mapping[str, int] | None) -> dict[ChangeKind, int] | None:
    return None if counts is None else {kind: counts[key] for key, kind in _KINDS.items()}


def decode_changes(
    changes: Mapping[str, list[dict[str, Any]]] | None,
) -> dict[ChangeKind, list[ReportedBook]] | None:
    if changes is None:
        return None
    return {kind: [_reported(book, kind) for book in changes[key]] for key, kind in _KINDS.items()}


def _named(book: StoredBook) -> dict[str, Any]:
    return {"id": book.id, "titulo": book.page.title}


def _listed(book: StoredBook) -> dict[str, Any]:
    return _named(book) | {
        "preco_com_taxa": float(book.page.price_incl_tax),
        "disponibilidade": book.page.stock,
    }


def _pair(change: Change, value: Callable[[ScrapedBook], float]) -> dict[str, float]:
    return {"antes": value(change.before.page), "depois": value(change.after.page)}


def _reported(book: dict[str, Any], kind: ChangeKind) -> ReportedBook:
    def pair(key: str, convert: Callable[[float], V]) -> Pair[V] | None:
        value = book.get(key)
        if value is None:
            return None
        if kind is ChangeKind.ADDED:
            return Pair(None, convert(value))
        if kind is ChangeKind.REMOVED:
            return Pair(convert(value), None)
        return Pair(convert(value["antes"]), convert(value["depois"]))

    return ReportedBook(
        id=book["id"],
        title=book["titulo"],
        price_incl_tax=pair("preco_com_taxa", _pounds),
        price_excl_tax=pair("preco_sem_taxa", _pounds),
        stock=pair("disponibilidade", int),
    )


def _pounds(number: float) -> Decimal:
    return Decimal(f"{number:.2f}")
