"""The newest scraping run."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pandas as pd
import streamlit as st

from dashboards import formats
from dashboards.client.scraping import Progress, Schedule
from dashboards.components import labels
from dashboards.components.page_layout import reader_timezone


def show_progress(progress: Progress) -> None:
    if progress.status == "never":
        st.caption("Nenhum scraping foi feito ainda.")
        return
    state = labels.RUN_STATES.get(progress.status, progress.status)
    pages = f"{formats.number(progress.pages_done)} de {formats.number(progress.pages_total)} páginas"
    share = progress.pages_done / progress.pages_total if progress.pages_total else 0.0
    st.progress(
        min(max(share, 0.0), 1.0),
        text=f"Execução {progress.run}: **{state}** · {pages} ({formats.percent(share)})",
    )
    st.caption(" · ".join(_details(progress)))
    if progress.changes is not None:
        st.caption(f"O que mudou: {describe_changes(progress.changes)}")
    if progress.reason:
        st.warning(f"Motivo: {progress.reason}", icon=":material/info:")


def show_schedule(schedule: Schedule) -> None:
    if not schedule.expression:
        st.caption("Não há agenda: defina uma em `SCRAPER_SCHEDULE`, ou com `PUT /api/v1/scraping/schedule`.")
        return
    zone = reader_timezone()
    texts = [f"Agenda: `{schedule.expression}` ({schedule.zone})"]
    if schedule.jitter_s:
        texts.append(f"com atraso de até {formats.duration(schedule.jitter_s)}")
    if not schedule.active:
        texts.append("**pausada**")
    elif schedule.next_run is not None and schedule.next_run < datetime.now(UTC):
        texts.append(f"a próxima espera desde {formats.date_time(schedule.next_run, zone)}")
    elif schedule.next_run is not None:
        texts.append(f"próxima: {formats.date_time(schedule.next_run, zone)}")
    if schedule.last_run is not None:
        texts.append(f"última: {formats.ago(schedule.last_run, datetime.now(UTC))}")
    st.caption(" · ".join(texts))


def describe_changes(counts: Mapping[str, int] | pd.Series[Any]) -> str:
    """Describe the changes that a run counted, from a mapping or from its row of the history."""
    changes = [
        formats.counted(counts[kind], *words) for kind, words in labels.CHANGES.items() if counts[kind]
    ]
    return ", ".join(changes) if changes else "nada"


def _details(progress: Progress) -> list[str]:
    zone = reader_timezone()
    details = [
        formats.counted(progress.books_read, "livro lido", "livros lidos"),
        f"iniciada em {formats.date_time(progress.started_at, zone)}",
    ]
    if progress.pages_failed:
        details.append(formats.counted(progress.pages_failed, "página com falha", "páginas com falha"))
    if progress.status == "processing":
        if progress.pages_per_second is not None:
            details.append(f"{formats.number(progress.pages_per_second, 1)} páginas/s")
            details.append(f"término estimado às {formats.date_time(progress.expected_end, zone)[-8:]}")
    elif progress.ended_at is not None:
        details.append(f"terminada {formats.ago(progress.ended_at, datetime.now(UTC))}")
    return details
