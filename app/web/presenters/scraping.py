"""Scraping runs."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from app.core.runs import RunStatus, status_word
from app.core.scraping import ChangeKind, ReportedBook, ScrapeRun, ScrapeRunDetail
from app.web.presenters.common import Shape, present_duration, present_time


def present_progress(run: ScrapeRun | None, now: datetime) -> Shape:
    """Return the progress of the newest run; public, so it has no user names."""
    if run is None:
        return {"status": status_word(run)}
    total = max(run.pages_total, run.pages_done)  # a site may announce fewer than it has
    shape: Shape = {
        "status": status_word(run),
        "execucao": run.id,
        "motivo": run.reason,
        "iniciada_em": present_time(run.started_at),
        "terminada_em": present_time(run.ended_at),
        "paginas_feitas": run.pages_done,
        "paginas_total": total,
        "paginas_com_falha": run.pages_failed,
        "percentual": round(100 * run.pages_done / total, 1) if total else 0.0,
        "livros_lidos": run.books_read,
        "contagem": _present_counts(run),
    }
    if run.status is RunStatus.PROCESSING:
        # Pages taken over from an interrupted run cost nothing and would flatter the rate.
        fetched = run.pages_done - min(run.pages_reused, run.pages_done)
        rate = fetched / max((now - run.started_at).total_seconds(), 0.001)
        remaining = total - run.pages_done
        shape["paginas_por_segundo"] = round(rate, 1) if fetched else None
        shape["termino_estimado"] = (
            present_time(now + timedelta(seconds=remaining / rate)) if fetched else None
        )
    return shape


def present_run(run: ScrapeRun) -> Shape:
    return {
        "id": run.id,
        "status": run.status,
        "motivo": run.reason,
        "iniciada_por": run.started_by,
        "cancelada_por": run.cancelled_by,
        "iniciada_em": present_time(run.started_at),
        "terminada_em": present_time(run.ended_at),
        "duracao_s": present_duration(run),
        "url_base": run.base_url,
        "retomada_de": run.resumed_from,
        "paginas_feitas": run.pages_done,
        "paginas_total": run.pages_total,
        "paginas_com_falha": run.pages_failed,
        "paginas_reaproveitadas": run.pages_reused,
        "livros_lidos": run.books_read,
        "versao_publicada": run.published_version,
        "contagem": _present_counts(run),
    }


def present_run_detail(detail: ScrapeRunDetail) -> Shape:
    return present_run(detail.run) | {
        "diferenca": None if detail.changes is None else present_changes(detail.changes),
        "falhas": [{"url": url, "motivo": reason} for url, reason in detail.failures.items()],
    }


def _present_counts(run: ScrapeRun) -> Shape | None:
    counts = run.change_counts
    return None if counts is None else {kind.value: count for kind, count in counts.items()}


def present_changes(changes: Mapping[ChangeKind, Sequence[ReportedBook]]) -> Shape:
    return {kind.value: [_present_book(book) for book in books] for kind, books in changes.items()}


def _present_book(book: ReportedBook) -> Shape:
    pairs = {
        "preco_com_taxa": book.price_incl_tax,
        "preco_sem_taxa": book.price_excl_tax,
        "disponibilidade": book.stock,
    }
    values = {key: _present_pair(*pair) for key, pair in pairs.items() if pair is not None}
    return {"id": book.id, "titulo": book.title, **values}


def _present_pair(before: float | None, after: float | None) -> Shape | float | None:
    """Return both values, or the only one of a book that was added or removed."""
    if before is None or after is None:
        return after if before is None else before
    return {"antes": before, "depois": after}
