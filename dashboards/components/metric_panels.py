"""What more than one page shows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pandas as pd
import streamlit as st

from dashboards import formats
from dashboards.client.catalogue import CHANGES, Progress
from dashboards.client.http_client import Problem, Refused, Unreachable
from dashboards.components import charts
from dashboards.components.page_layout import Tile, tell, tiles, zone
from dashboards.connections import api
from dashboards.metrics.source import Match, Source, latest, only

# Prometheus and this dashboard ask all the time; that is not what the shop does.
NOT_MONITORING = (Match("endpoint", "/metrics|/health|/api/v1/health", negated=True),)
OUTCOMES = {"approved": "Aprovado", "denied": "Negado", "error": "Com erro", "timeout": "Sem resposta"}
ORDER_STATES = {
    "awaiting_payment": "Aguardando pagamento",
    "pending": "Pendente",
    "processed": "Processado",
    "shipped": "Enviado",
    "delivered": "Entregue",
    "cancelled": "Cancelado",
    "returned": "Devolvido",
    "payment_denied": "Pagamento negado",
    "failed": "Falhou",
}
RUN_STATES = {
    "processing": "Em andamento",
    "done": "Concluída",
    "error": "Com erro",
    "cancelled": "Cancelada",
    "interrupted": "Interrompida",
}
_LATENCY = "api_request_latency_seconds"
_CHANGED = dict(
    zip(CHANGES, ("novos", "removidos", "com outro preço", "com outro estoque", "editados"), strict=True)
)


@dataclass(frozen=True, slots=True)
class Orders:
    """How many orders are in each state; empty if nobody told."""

    by_status: dict[str, int]

    @property
    def total(self) -> int | None:
        return sum(self.by_status.values()) if self.by_status else None

    @property
    def denial_rate(self) -> float | None:
        """Among the orders whose payment was decided."""
        undecided = self.by_status.get("awaiting_payment", 0)
        decided = (self.total or 0) - undecided
        return self.by_status.get("payment_denied", 0) / decided if decided else None

    def table(self) -> pd.DataFrame:
        """In the order in which an order goes through them."""
        known = [status for status in ORDER_STATES if status in self.by_status]
        states = known + sorted(set(self.by_status) - set(known))
        return pd.DataFrame(
            {
                "Estado": [ORDER_STATES.get(state, state) for state in states],
                "Pedidos": [self.by_status[state] for state in states],
            }
        )


def orders_by_status(figures: Source) -> Orders:
    frame = figures.level("livraria_orders", ("status",)).dropna()
    return Orders({status: int(count) for status, count in zip(frame["status"], frame["value"], strict=True)})


def total_quantile(figures: Source, quantile: float, histogram: str) -> float | None:
    return only(figures.total_quantile(quantile, histogram))


def traffic_tiles(figures: Source, where: tuple[Match, ...] = NOT_MONITORING) -> None:
    """Traffic, errors and latency of the last minute, and how they developed."""
    traffic = figures.rate("api_requests_total", (), where)
    failed = figures.rate("api_requests_total", (), (*where, Match("status", "5..")))
    now, failing = latest(traffic), latest(failed)
    if now and failing is None:
        failing = 0.0  # no 5xx has ever been counted
    quantiles = [
        (f"Latência p{100 * share:.0f}", figures.quantile(share, _LATENCY, (), where))
        for share in (0.5, 0.95, 0.99)
    ]
    in_flight = figures.levels("ecommerce_active_sessions_gauge", summed=True)
    tiles(
        [
            Tile("Tráfego", formats.per_second(now), "Média do último minuto", traffic["value"].tolist()),
            Tile(
                "Erros 5xx",
                formats.percent(failing / now if now and failing is not None else None),
                "Parte das respostas do último minuto",
                failed["value"].tolist(),
            ),
            *(
                Tile(label, formats.latency(latest(frame)), "No último minuto", frame["value"].tolist())
                for label, frame in quantiles
            ),
            Tile(
                "Em andamento",
                formats.number(latest(in_flight)),
                "Requisições que estão sendo atendidas; a deste painel conta",
                in_flight["value"].tolist(),
            ),
        ]
    )


def note_if_down(figures: Source) -> None:
    """Without the API, what Prometheus remembers is still there to be seen, but not taken for the present."""
    try:
        api().health()
    except Unreachable as problem:
        tell(problem)
        st.info(f"Sem a API, o que se vê abaixo é o que o {figures.name} guardou.", icon=":material/history:")


def stock_tiles(figures: Source) -> list[Tile]:
    def level(gauge: str) -> str:
        return formats.number(only(figures.level(gauge)))

    return [
        Tile("Exemplares", level("livraria_stock_units"), "Exemplares à venda"),
        Tile("Estoque baixo", level("livraria_low_stock_books"), "Livros com 1 a 3 exemplares"),
        Tile("Esgotados", level("livraria_out_of_stock_books"), "Livros sem nenhum exemplar"),
    ]


def traffic_chart(figures: Source, where: tuple[Match, ...] = NOT_MONITORING) -> None:
    st.markdown("**Respostas por classe de status**")
    frame = figures.rate("api_requests_total", ("status",), where)
    frame["Status"] = [f"{status[:1]}xx" if status[:1] in "2345" else "outros" for status in frame["status"]]
    frame = frame.groupby(["time", "Status"])["value"].sum(min_count=1).reset_index()
    charts.areas(
        frame,
        "Requisições (req/s)",
        series="Status",
        colours=charts.STATUS_COLOURS,
        alternative="Requisições por segundo de cada classe de status",
    )


def latency_chart(figures: Source, where: tuple[Match, ...] = NOT_MONITORING) -> None:
    st.markdown("**Latência**")
    frames = [
        figures.quantile(share, _LATENCY, (), where).assign(Percentil=f"p{100 * share:.0f}")
        for share in (0.5, 0.95, 0.99)
    ]
    frame = pd.concat(frames, ignore_index=True)
    charts.lines(
        frame.assign(value=1_000 * frame["value"]),
        "Latência (ms)",
        series="Percentil",
        number=",.3~r",
        alternative="Os percentis 50, 95 e 99 da latência",
    )


def total_bars(frame: pd.DataFrame, label: str, name: str, value: str, words: dict[str, str]) -> None:
    """Totals by a label, the highest first, in the reader's words."""
    frame = frame[frame["value"].round() > 0].sort_values("value", ascending=False)
    named = pd.DataFrame({name: [words.get(key, key) for key in frame[label]], value: frame["value"].round()})
    if named.empty:
        st.caption("Nenhum.")
        return
    charts.bars(named, name, value, alternative=f"{value} por {name.lower()}")


def scraping_progress(progress: Progress) -> None:
    """The running or last scrape."""
    if progress.status == "never":
        st.caption("Nenhum scraping foi feito ainda.")
        return
    state = RUN_STATES.get(progress.status, progress.status)
    pages = f"{formats.number(progress.pages_done)} de {formats.number(progress.pages_total)} páginas"
    share = progress.pages_done / progress.pages_total if progress.pages_total else 0.0
    st.progress(
        min(max(share, 0.0), 1.0),
        text=f"Execução {progress.run}: **{state}** · {pages} ({formats.percent(share)})",
    )
    told = [
        f"{formats.number(progress.books_read)} livros lidos",
        f"iniciada em {_moment(progress.started_at)}",
    ]
    if progress.pages_failed:
        told.append(f"{formats.number(progress.pages_failed)} páginas com falha")
    if progress.status == "processing":
        if progress.pages_per_second is not None:
            told.append(f"{formats.number(progress.pages_per_second, 1)} páginas/s")
            told.append(f"término estimado às {_moment(progress.expected_end)[-8:]}")
    elif progress.ended_at is not None:
        told.append(f"terminada {formats.ago(progress.ended_at, datetime.now(UTC))}")
    st.caption(" · ".join(told))
    if progress.changes is not None:
        st.caption(f"O que mudou: {changes(progress.changes)}")
    if progress.reason:
        st.warning(f"Motivo: {progress.reason}", icon=":material/info:")


def changes(counts: Any) -> str:
    """What a run changed, from its counts or its row of the history."""
    told = [f"{formats.number(counts[change])} {word}" for change, word in _CHANGED.items() if counts[change]]
    return ", ".join(told) if told else "nada"


def explain_token(problem: Problem, what: str) -> None:
    """Why an operators' answer is not shown, and what to do about it."""
    if not isinstance(problem, Refused) or problem.status not in (401, 403):
        raise problem
    if problem.status == 403:
        st.info(f"O usuário do token não tem permissão para {what}.", icon=":material/key:")
        return
    st.info(
        f"Para {what}, inicie o painel com um usuário de papel `operador` nas variáveis de ambiente `API_USER` e "
        "`API_PASSWORD`; ou, por 15 minutos, com o `access_token` de `POST /api/v1/auth/login` em `API_TOKEN`.",
        icon=":material/key:",
    )


def _moment(value: datetime | None) -> str:
    return formats.moment(value, zone())
