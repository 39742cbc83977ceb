"""What the API answers, checked: a page never meets a missing key or a text where a number should be."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pandas as pd

from dashboards.exposition import NotMetrics, Samples, parse
from dashboards.servers import Query, Server

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


@dataclass(frozen=True, slots=True)
class Overview:
    books: int
    mean_price: float | None
    by_rating: dict[int, int]


@dataclass(frozen=True, slots=True)
class Api:
    server: Server

    def health(self) -> Health:
        answer = self.server.json(HEALTH)
        with _Checked(self.server, HEALTH):
            return Health(
                demonstration=answer["origem"] == "demonstracao",
                source_url=str(answer["fonte"]),
                books=int(answer["livros"]),
                version=int(answer["versao_catalogo"]),
                published_at=_moment(answer["publicado_em"]),
            )

    def progress(self) -> Progress:
        answer = self.server.json(SCRAPING)
        with _Checked(self.server, SCRAPING):
            return Progress(
                status=str(answer["status"]),
                run=answer.get("execucao"),
                reason=str(answer.get("motivo") or ""),
                started_at=_moment(answer.get("iniciada_em")),
                ended_at=_moment(answer.get("terminada_em")),
                pages_done=int(answer.get("paginas_feitas", 0)),
                pages_total=int(answer.get("paginas_total", 0)),
                pages_failed=int(answer.get("paginas_com_falha", 0)),
                books_read=int(answer.get("livros_lidos", 0)),
                pages_per_second=_number(answer.get("paginas_por_segundo")),
                expected_end=_moment(answer.get("termino_estimado")),
            )

    def overview(self) -> Overview:
        answer = self.server.json(OVERVIEW)
        with _Checked(self.server, OVERVIEW):
            return Overview(
                books=int(answer["total_livros"]),
                mean_price=_number(answer["preco_medio_com_taxa"]),
                by_rating={int(k): int(count) for k, count in answer["distribuicao_ratings"].items()},
            )

    def categories(self) -> pd.DataFrame:
        return self._table(CATEGORIES, _CATEGORY)

    def books(self, query: Query | None = None) -> pd.DataFrame:
        return self._table(BOOKS, _BOOK, query)

    def runs(self) -> pd.DataFrame:
        """The newest first, with a column for each kind of change; these are NaN if nothing was compared."""
        frame = self._table(RUNS, _RUN)
        counts = frame.pop("contagem").tolist()
        with _Checked(self.server, RUNS):
            for change in CHANGES:
                frame[change] = pd.Series(
                    [_number(count[change]) if count else None for count in counts],
                    index=frame.index,
                    dtype=float,
                )
        return frame

    def logs(self, query: Query) -> tuple[pd.DataFrame, bool]:
        """Records that match, the newest first, and whether there are more than were asked for."""
        answer = self.server.get(LOGS, query)
        records = self.server.decoded(LOGS, answer)
        with _Checked(self.server, LOGS):
            records = [_log_record(record) for record in _rows(records)]
        frame = self._checked_table(LOGS, records, _LOG)
        return frame.iloc[::-1].reset_index(drop=True), answer.more

    def metrics(self) -> Samples:
        text = self.server.get(METRICS).text
        try:
            return parse(text)
        except NotMetrics as error:
            raise self.server.malformed(METRICS) from error

    def _table(self, path: str, columns: Mapping[str, type], query: Query | None = None) -> pd.DataFrame:
        return self._checked_table(path, self.server.json(path, query), columns)

    def _checked_table(self, path: str, answer: Any, columns: Mapping[str, type]) -> pd.DataFrame:
        """A frame of just `columns`; all but whole numbers and moments may be missing."""
        with _Checked(self.server, path):
            rows = _rows(answer)
            return pd.DataFrame(
                {name: _column([row.get(name) for row in rows], kind) for name, kind in columns.items()}
            )


class _Checked:
    """Turns whatever a malformed answer makes Python say into the one thing to tell."""

    def __init__(self, server: Server, path: str) -> None:
        self._server, self._path = server, path

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        if isinstance(error, (KeyError, TypeError, ValueError, AttributeError, OverflowError)):
            raise self._server.malformed(self._path) from error


def _rows(answer: Any) -> list[dict[str, Any]]:
    if not isinstance(answer, list) or not all(isinstance(row, dict) for row in answer):
        raise TypeError("not an array of objects")
    return answer


def _column(values: list[Any], kind: type) -> pd.Series[Any]:
    if kind is int:
        return pd.Series([int(value) for value in values], dtype="int64")
    if kind is float:
        return pd.Series([_number(value) for value in values], dtype="float64")
    if kind is datetime:
        return pd.Series(pd.to_datetime(pd.Series(values, dtype=object), utc=True, format="ISO8601"))
    if kind is dict:
        return pd.Series([dict(value) if value else None for value in values], dtype=object)
    return pd.Series(["" if value is None else str(value) for value in values], dtype=object)


def _log_record(record: dict[str, Any]) -> dict[str, Any]:
    """The record with what only its kind of event tells gathered as `details`.

    An order's event has a `status` in words, which is not one of HTTP.
    """
    status = record.get("status")
    of_http = status is None or (isinstance(status, int) and not isinstance(status, bool))
    known = {name: value for name, value in record.items() if name in _LOG and (name != "status" or of_http)}
    others = [f"{name}={value}" for name, value in record.items() if name not in known]
    return known | {"timestamp": record["timestamp"], "details": " ".join(others)}


def _number(value: Any) -> float | None:
    return None if value is None else float(value)


def _moment(value: Any) -> datetime | None:
    if value is None:
        return None
    moment = datetime.fromisoformat(value)
    if moment.tzinfo is None:
        raise ValueError("a moment without a zone")
    return moment
