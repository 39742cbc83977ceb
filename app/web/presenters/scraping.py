"""Scraping runs."""

from __future__ import annotations

from datetime import datetime, timedelta

from app.core.runs import RunStatus
from app.services.scraping import shown_status
from app.storage.models import ScrapeRunRow
from app.web.presenters.common import Shape, present_time


def present_progress(row: ScrapeRunRow | None, now: datetime) -> Shape:
    """How the newest run stands, in the seeds' words; public, so it names nobody."""
    if row is None:
        return {"status": shown_status(row)}
    shape: Shape = {
        "status": shown_status(row),
        "execucao": row.id,
        "motivo": row.reason,
        "iniciada_em": present_time(row.started_at),
        "terminada_em": present_time(row.ended_at),
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
        shape["termino_estimado"] = present_time(now + timedelta(seconds=left / rate)) if fetched else None
    return shape


def present_run(row: ScrapeRunRow) -> Shape:
    return {
        "id": row.id,
        "status": row.status,
        "motivo": row.reason,
        "iniciada_por": row.started_by,
        "cancelada_por": row.cancelled_by,
        "iniciada_em": present_time(row.started_at),
        "terminada_em": present_time(row.ended_at),
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


def present_run_detail(row: ScrapeRunRow) -> Shape:
    return present_run(row) | {"diferenca": row.difference, "falhas": row.failures or []}
