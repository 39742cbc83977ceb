"""Scraping runs: the newest, and the history that operators may read."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pandas as pd

from dashboards.client.http_client import HttpClient
from dashboards.client.parsing import parse_datetime, parse_number, parse_table

STATUS = "/api/v1/scraping/status"
RUNS = "/api/v1/scraping/runs"
SCHEDULE = "/api/v1/scraping/schedule"
CHANGES = ("adicionados", "removidos", "reprecificados", "reestocados", "editados")
"""The kinds of change that a run counts."""

_RUN = {
    "id": int,
    "status": str,
    "motivo": str,
    "iniciada_por": str,
    "url_base": str,
    "iniciada_em": datetime,
    "duracao_s": float,
    "livros_lidos": int,
    "paginas_com_falha": int,
    "versao_publicada": float,
    "contagem": dict,
}


@dataclass(frozen=True, slots=True)
class Progress:
    """The state of the newest run; before the first, `status` is "never" and the rest is empty."""

    status: str
    run: int | None
    reason: str
    started_at: datetime | None
    ended_at: datetime | None
    pages_done: int
    pages_total: int
    pages_failed: int
    books_read: int
    pages_per_second: float | None
    expected_end: datetime | None
    changes: dict[str, int] | None
    """Number of books by kind of change; None until the run has compared them."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """When the shop scrapes by itself; `expression` is empty where it does not."""

    expression: str
    zone: str
    jitter_s: int
    active: bool
    next_run: datetime | None
    last_run: datetime | None


def fetch_schedule(client: HttpClient) -> Schedule:
    with client.parsing(SCHEDULE):
        body = client.get(SCHEDULE).json()
        return Schedule(
            expression=str(body["agenda"] or ""),
            zone=str(body["fuso"]),
            jitter_s=int(body["jitter_s"]),
            active=body["ativa"] is True,
            next_run=parse_datetime(body["proxima_execucao"]),
            last_run=parse_datetime(body["ultima_execucao"]),
        )


def fetch_progress(client: HttpClient) -> Progress:
    with client.parsing(STATUS):
        body = client.get(STATUS).json()
        return Progress(
            status=str(body["status"]),
            run=body.get("execucao"),
            reason=str(body.get("motivo") or ""),
            started_at=parse_datetime(body.get("iniciada_em")),
            ended_at=parse_datetime(body.get("terminada_em")),
            pages_done=int(body.get("paginas_feitas", 0)),
            pages_total=int(body.get("paginas_total", 0)),
            pages_failed=int(body.get("paginas_com_falha", 0)),
            books_read=int(body.get("livros_lidos", 0)),
            pages_per_second=parse_number(body.get("paginas_por_segundo")),
            expected_end=parse_datetime(body.get("termino_estimado")),
            changes=_parse_changes(body.get("contagem")),
        )


def fetch_runs(client: HttpClient) -> pd.DataFrame:
    """Return the runs, newest first, with a column for each of CHANGES: NaN where nothing was compared."""
    with client.parsing(RUNS):
        runs = parse_table(client.get(RUNS).json(), _RUN)
        counts = [_parse_changes(count) or {} for count in runs.pop("contagem")]
        for change in CHANGES:
            runs[change] = pd.Series([count.get(change) for count in counts], index=runs.index, dtype=float)
    return runs


def _parse_changes(counts: dict[str, Any] | None) -> dict[str, int] | None:
    return {change: int(counts[change]) for change in CHANGES} if counts else None
