"""The columns `diferenca` and `contagem`: what a scraping run changed, in the encoding of every release."""

from collections.abc import Mapping
from typing import Any

from app.core.scraping import Change, ChangeKind, Difference, ReportedBook, StoredBook

Stored = Mapping[str, list[dict[str, Any]]]

_PRICE, _NET_PRICE, _STOCK = "preco_com_taxa", "preco_sem_taxa", "disponibilidade"


def encode_difference(difference: Difference) -> Stored:
    return {
        ChangeKind.ADDED: [
            _encode_listed(book)
            for book in (*difference.added, *(change.after for change in difference.returned))
        ],
        ChangeKind.REMOVED: [_encode_listed(book) for book in difference.removed],
        ChangeKind.REPRICED: [_encode_change(change, _PRICE, _NET_PRICE) for change in difference.repriced],
        ChangeKind.RESTOCKED: [_encode_change(change, _STOCK) for change in difference.restocked],
        ChangeKind.EDITED: [_encode_change(change) for change in difference.edited],
    }


def decode_counts(stored: Mapping[str, int] | None) -> dict[ChangeKind, int] | None:
    return None if stored is None else {kind: stored[kind] for kind in ChangeKind}


def decode_changes(stored: Stored | None) -> dict[ChangeKind, list[ReportedBook]] | None:
    if stored is None:
        return None
    return {kind: [_decode(book, kind) for book in stored[kind]] for kind in ChangeKind}


def _values(book: StoredBook) -> dict[str, float]:
    page = book.page
    return {_PRICE: float(page.price_incl_tax), _NET_PRICE: float(page.price_excl_tax), _STOCK: page.stock}


def _encode_listed(book: StoredBook) -> dict[str, Any]:
    values = _values(book)
    return {"id": book.id, "titulo": book.page.title, _PRICE: values[_PRICE], _STOCK: values[_STOCK]}


def _encode_change(change: Change, *keys: str) -> dict[str, Any]:
    before, after = _values(change.before), _values(change.after)
    pairs = {key: {"antes": before[key], "depois": after[key]} for key in keys}
    return {"id": change.after.id, "titulo": change.after.page.title, **pairs}


def _decode(book: dict[str, Any], kind: ChangeKind) -> ReportedBook:
    pairs = [_decode_pair(book.get(key), kind) for key in (_PRICE, _NET_PRICE, _STOCK)]
    return ReportedBook(book["id"], book["titulo"], *pairs)


def _decode_pair(value: Any, kind: ChangeKind) -> tuple[Any, Any] | None:
    if value is None:
        return None
    if kind in (ChangeKind.ADDED, ChangeKind.REMOVED):
        return (None, value) if kind is ChangeKind.ADDED else (value, None)
    return value["antes"], value["depois"]
