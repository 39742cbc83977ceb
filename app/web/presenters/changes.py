"""A book's history, and what publications changed."""

from decimal import Decimal

from app.core.changes import CatalogueChange, ChangedValue, Observation
from app.web.presenters.common import Shape, present_time


def present_observation(observation: Observation) -> Shape:
    return {
        "versao": observation.version,
        "observado_em": present_time(observation.observed_at),
        "preco_com_taxa": float(observation.price_incl_tax),
        "preco_sem_taxa": float(observation.price_excl_tax),
        "disponibilidade": observation.stock,
        "listado": observation.listed,
    }


def present_change(change: CatalogueChange) -> Shape:
    return {
        "versao": change.version,
        "observado_em": present_time(change.observed_at),
        "id": change.book_id,
        "titulo": change.title,
        "categoria": change.category,
        "tipo": change.kind.word,
        "antes": _present_value(change.before),
        "depois": _present_value(change.after),
    }


def _present_value(value: ChangedValue) -> object:
    return float(value) if isinstance(value, Decimal) else value
