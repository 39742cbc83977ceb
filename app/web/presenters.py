"""What clients see of the shop's things, field by field."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pandas as pd

from app.core.catalogue import Book, CategorySummary, Overview
from app.core.orders import Order
from app.core.runs import RunStatus
from app.core.users import RESERVED_USERNAMES
from app.services.scrapes import shown_status
from app.simulation.knobs import Knobs
from app.storage.tables import RunRow

Shape = dict[str, Any]

PRICED_BOOK = ("id", "titulo", "categoria", "preco_com_taxa")
RATED_BOOK = (*PRICED_BOOK, "preco_sem_taxa", "rating")
LISTED_BOOK = (*RATED_BOOK, "disponibilidade")
BOOK_DETAIL = (*LISTED_BOOK, "url_imagem")

STAFF = "equipe"
SIMULATION_KEYS = {
    "taxa_pagamento_negado": "payment_denied_rate",
    "taxa_erro_pagamento": "payment_error_rate",
    "latencia_pagamento_ms": "payment_latency_ms",
    "taxa_falha_estoque": "stock_failure_rate",
    "taxa_erro_interno": "internal_error_rate",
    "taxa_lentidao": "slow_rate",
    "lentidao_ms": "slow_ms",
    "semente": "seed",
}

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


def books(frame: pd.DataFrame, keys: tuple[str, ...]) -> list[Shape]:
    """The books of a catalogue's frame, each with `keys`."""
    columns = [_values(frame, key) for key in keys]
    return [dict(zip(keys, row, strict=True)) for row in zip(*columns, strict=True)]


def book(found: Book) -> Shape:
    return {
        "id": found.id,
        "titulo": found.title,
        "categoria": found.category,
        "preco_com_taxa": float(found.price_incl_tax),
        "preco_sem_taxa": float(found.price_excl_tax),
        "rating": found.rating,
        "disponibilidade": found.stock,
        "url_imagem": found.image_url,
    }


def overview(figures: Overview) -> Shape:
    return {
        "total_livros": figures.books,
        "preco_medio_com_taxa": _amount(figures.mean_price_incl_tax),
        "preco_medio_sem_taxa": _amount(figures.mean_price_excl_tax),
        "distribuicao_ratings": {str(rating): count for rating, count in figures.by_rating.items()},
    }


def category_summary(summary: CategorySummary) -> Shape:
    return {
        "categoria": summary.category,
        "quantidade_livros": summary.books,
        "preco_medio_com_taxa": _amount(summary.mean_price_incl_tax),
        "preco_medio_sem_taxa": _amount(summary.mean_price_excl_tax),
    }


def scraping_progress(row: RunRow | None, now: datetime) -> Shape:
    """How the newest run stands, in the seeds' words; public, so it names nobody."""
    if row is None:
        return {"status": shown_status(row)}
    shape: Shape = {
        "status": shown_status(row),
        "execucao": row.id,
        "motivo": row.reason,
        "iniciada_em": time(row.started_at),
        "terminada_em": time(row.ended_at),
        "paginas_feitas": row.pages_done,
        "paginas_total": row.pages_total,
        "paginas_com_falha": row.pages_failed,
        "percentual": round(100 * row.pages_done / row.pages_total, 1) if row.pages_total else 0.0,
        "livros_lidos": row.books_read,
        "contagem": row.change_counts,
    }
    if row.status == RunStatus.PROCESSING:
        # Pages taken over from an interrupted run cost nothing and would flatter the rate.
        fetched = row.pages_done - min(row.pages_reused, row.pages_done)
        rate = fetched / max((now - row.started_at).total_seconds(), 0.001)
        left = row.pages_total - row.pages_done
        shape["paginas_por_segundo"] = round(rate, 1) if fetched else None
        shape["termino_estimado"] = time(now + timedelta(seconds=left / rate)) if fetched else None
    return shape


def scraping_run(row: RunRow) -> Shape:
    return {
        "id": row.id,
        "status": row.status,
        "motivo": row.reason,
        "iniciada_por": row.started_by,
        "cancelada_por": row.cancelled_by,
        "iniciada_em": time(row.started_at),
        "terminada_em": time(row.ended_at),
        "duracao_s": round((row.ended_at - row.started_at).total_seconds(), 3) if row.ended_at else None,
        "url_base": row.base_url,
        "retomada_de": row.resumed_from,
        "paginas_feitas": row.pages_done,
        "paginas_total": row.pages_total,
        "paginas_com_falha": row.pages_failed,
        "paginas_reaproveitadas": row.pages_reused,
        "livros_lidos": row.books_read,
        "versao_publicada": row.published_version,
        "contagem": row.change_counts,
    }


def scraping_run_detail(row: RunRow) -> Shape:
    return scraping_run(row) | {"diferenca": row.difference, "falhas": row.failures or []}


def order(placed: Order) -> Shape:
    return {
        "order_id": placed.id,
        "customer_id": placed.customer_id,
        "items": [
            {
                "product_id": item.product_id,
                "name": item.name,
                "quantity": item.quantity,
                "price_unit": float(item.unit_price),
            }
            for item in placed.items
        ],
        "total_amount": float(placed.total),
        "status": placed.status.value,
        "payment_status": placed.payment_status.value,
        "notes": placed.notes,
        "created_at": time(placed.created_at),
        "last_updated_at": time(placed.updated_at),
        "version": placed.version,
    }


def order_detail(found: Order, *, names_staff: bool) -> Shape:
    """An order with its history; who holds its id only may not learn the names of those who work here."""
    return order(found) | {
        "history": [
            {
                "from": None if change.before is None else change.before.value,
                "to": change.after.value,
                "at": time(change.at),
                "by": change.by if names_staff or change.by in RESERVED_USERNAMES else STAFF,
            }
            for change in found.history
        ]
    }


def simulation(knobs: Knobs) -> Shape:
    return {name: getattr(knobs, field) for name, field in SIMULATION_KEYS.items()}


def _values(frame: pd.DataFrame, key: str) -> list[Any]:
    column = frame[_COLUMNS[key]]
    # Dividing whole pence gives the float nearest to the price, which prints as its two decimals.
    values: list[Any] = (column / 100 if key.startswith("preco") else column).tolist()
    return values


def _amount(value: Decimal | None) -> float | None:
    return None if value is None else float(value)


def time(value: datetime | None) -> str | None:
    return (
        None
        if value is None
        else value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    )
