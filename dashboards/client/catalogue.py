"""What the API answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pandas as pd

from dashboards.client.http_client import Query, Server
from dashboards.client.parsing import Checked, moment, number, rows, table
from dashboards.metrics.exposition import NotMetrics, Samples, parse

HEALTH = "/health"
SCRAPING = "/api/v1/scraping/status"
RUNS = "/api/v1/scraping/runs"
OVERVIEW = "/api/v1/stats/overview"
CATEGORIES = "/api/v1/stats/categories"
BOOKS = "/api/v1/books"
LOGS = "/api/v1/logs"
METRICS = "/metrics"

_BOOK = {
    "id": int,
    "titulo": str,
    "categoria": str,
    "preco_com_taxa": float,
    "rating": int,
    "disponibilidade": int,
}
_CATEGORY = {
    "categoria": str,
    "quantidade_livros": int,
    "preco_medio_com_taxa": float,
    "preco_medio_sem_taxa": float,
}
_LOG = {
    "timestamp": datetime,
    "level": str,
    "event": str,
    "method": str,
    "route": str,
    "path": str,
    "status": float,
    "duration_ms": float,
    "request_id": str,
    "user_id": str,
    "remote_addr": str,
    "bytes": float,
    "details": str,
}
_RUN = {
    "id": int,
    "status": str,
    "motivo": str,
    "iniciada_por": str,
    "iniciada_em": datetime,
    "duracao_s": float,
    "livros_lidos": int,
    "paginas_com_falha": int,
    "versao_publicada": float,
    "contagem": dict,
}
CHANGES = ("adicionados", "removidos", "reprecificados", "reestocados", "editados")


@dataclass(frozen=True, slots=True)
class Health:
    demonstration: bool
    source_url: str
    books: int
    version: int
    published_at: datetime | None


@dataclass(frozen=True, slots=True)
class Progress:
    """How the newest scrape stands; only `status` is there if there was none."""

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
    """How many books changed how, by CHANGES; None until it is known."""


@dataclass(frozen=True, slots=True)
class Overview:
    books: int
    mean_price: float | None
    by_rating: dict[int, int]


@dataclass(frozen=True, slots=True)
class Api:
    """`operators` is the same server, asked as somebody who may read what is not public."""

    server: Server
    operators: Server

    def health(self) -> Health:
        answer = self.server.json(HEALTH)
        with Checked(self.server, HEALTH):
            return Health(
                demonstration=answer["origem"] == "demonstracao",
                source_url=str(answer["fonte"]),
                books=int(answer["livros"]),
                version=int(answer["versao_catalogo"]),
                published_at=moment(answer["publicado_em"]),
            )

    def progress(self) -> Progress:
        answer = self.server.json(SCRAPING)
        with Checked(self.server, SCRAPING):
            return Progress(
                status=str(answer["status"]),
                run=answer.get("execucao"),
                reason=str(answer.get("motivo") or ""),
                started_at=moment(answer.get("iniciada_em")),
                ended_at=moment(answer.get("terminada_em")),
                pages_done=int(answer.get("paginas_feitas", 0)),
                pages_total=int(answer.get("paginas_total", 0)),
                pages_failed=int(answer.get("paginas_com_falha", 0)),
                books_read=int(answer.get("livros_lidos", 0)),
                pages_per_second=number(answer.get("paginas_por_segundo")),
                expected_end=moment(answer.get("termino_estimado")),
                changes=_changes(answer.get("contagem")),
            )

    def overview(self) -> Overview:
        answer = self.server.json(OVERVIEW)
        with Checked(self.server, OVERVIEW):
            return Overview(
                books=int(answer["total_livros"]),
                mean_price=number(answer["preco_medio_com_taxa"]),
                by_rating={int(k): int(count) for k, count in answer["distribuicao_ratings"].items()},
            )

    def categories(self) -> pd.DataFrame:
        return self._table(CATEGORIES, _CATEGORY)

    def books(self, query: Query | None = None) -> pd.DataFrame:
        return self._table(BOOKS, _BOOK, query)

    def runs(self) -> pd.DataFrame:
        """The newest first, with a column for each kind of change; these are NaN if nothing was compared."""
        answer = self.operators.json(RUNS)
        with Checked(self.operators, RUNS):
            frame = table(answer, _RUN)
            counts = frame.pop("contagem").tolist()
            for change in CHANGES:
                frame[change] = pd.Series(
                    [number(count[change]) if count else None for count in counts],
                    index=frame.index,
                    dtype=float,
                )
        return frame

    def logs(self, query: Query) -> tuple[pd.DataFrame, bool]:
        """Records that match, the newest first, and whether there are more than were asked for."""
        answer = self.operators.get(LOGS, query)
        records = self.operators.decoded(LOGS, answer)
        with Checked(self.operators, LOGS):
            frame = table([_log_record(record) for record in rows(records)], _LOG)
        return frame.iloc[::-1].reset_index(drop=True), answer.more

    def metrics(self) -> Samples:
        text = self.server.get(METRICS).text
        try:
            return parse(text)
        except NotMetrics as error:
            raise self.server.malformed(METRICS) from error

    def _table(self, path: str, columns: Mapping[str, type], query: Query | None = None) -> pd.DataFrame:
        with Checked(self.server, path):
            return table(self.server.json(path, query), columns)


def _log_record(record: dict[str, Any]) -> dict[str, Any]:
    """The record with what only its kind of event tells gathered as `details`.

    An order's event has a `status` in words, which is not one of HTTP.
    """
    status = record.get("status")
    of_http = status is None or (isinstance(status, int) and not isinstance(status, bool))
    known = {name: value for name, value in record.items() if name in _LOG and (name != "status" or of_http)}
    others = [f"{name}={value}" for name, value in record.items() if name not in known]
    return known | {"timestamp": record["timestamp"], "details": " ".join(others)}


def _changes(counts: dict[str, Any] | None) -> dict[str, int] | None:
    return {change: int(counts[change]) for change in CHANGES} if counts else None
