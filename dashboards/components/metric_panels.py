"""Tiles and charts of metrics that more than one page shows."""

from collections.abc import Mapping

import pandas as pd
import streamlit as st

from dashboards import formats
from dashboards.client.catalogue import fetch_health
from dashboards.client.connect import api_client
from dashboards.client.http_client import Unreachable
from dashboards.components import charts
from dashboards.components.page_layout import Tile, report, show_tiles
from dashboards.metrics.source import Match, Matches, Source, last_value

NOT_MONITORING = (Match("endpoint", "/metrics|/health|/api/v1/health", negated=True),)
"""Leaves out the requests of Prometheus and of this dashboard."""
LATENCY = "api_request_latency_seconds"
_LATENCY_QUANTILES = {"p50": 0.50, "p95": 0.95, "p99": 0.99}


def warn_if_api_is_down(source: Source) -> None:
    """Say that the metrics are Prometheus' history, not the present."""
    try:
        fetch_health(api_client())
    except Unreachable as error:
        report(error)
        st.info(f"Sem a API, o que se vê abaixo é o que o {source.name} guardou.", icon=":material/history:")


def show_traffic_tiles(source: Source, where: Matches = NOT_MONITORING) -> None:
    """Draw traffic, errors and latency of the last minute, with their trends."""
    requests = source.rate("api_requests_total", (), where)
    errors = source.rate("api_requests_total", (), (*where, Match("status", "5..")))
    per_second, errors_per_second = last_value(requests), last_value(errors)
    if per_second and errors_per_second is None:
        errors_per_second = 0.0  # no 5xx was ever counted
    error_share = errors_per_second / per_second if per_second and errors_per_second is not None else None
    quantiles = {
        name: source.quantile(share, LATENCY, (), where) for name, share in _LATENCY_QUANTILES.items()
    }
    in_flight = source.levels("ecommerce_active_sessions_gauge", summed=True)
    show_tiles(
        [
            Tile("Tráfego", formats.per_second(per_second), "Média do último minuto", requests),
            Tile("Erros 5xx", formats.percent(error_share), "Parte das respostas do último minuto", errors),
            *(
                Tile(f"Latência {name}", formats.latency(last_value(frame)), "No último minuto", frame)
                for name, frame in quantiles.items()
            ),
            Tile(
                "Em andamento",
                formats.number(last_value(in_flight)),
                "Requisições que estão sendo atendidas; a deste painel conta",
                in_flight,
            ),
        ]
    )


def orders_by_status(source: Source) -> dict[str, int]:
    frame = source.level("livraria_orders", ("status",)).dropna()
    return {status: int(count) for status, count in zip(frame["status"], frame["value"], strict=True)}


def show_shop_tiles(source: Source) -> None:
    """Draw orders, revenue and stock."""
    orders = orders_by_status(source)
    total = sum(orders.values()) if orders else None
    decided = (total or 0) - orders.get("awaiting_payment", 0)
    denied_share = orders.get("payment_denied", 0) / decided if decided else None
    revenue = last_value(source.total("ecommerce_revenue_pounds_total"))

    def level(gauge: str) -> str:
        return formats.number(last_value(source.level(gauge)))

    show_tiles(
        [
            Tile("Pedidos", formats.number(total), "Todos os pedidos registrados, em qualquer estado"),
            Tile("Taxa de recusa", formats.percent(denied_share), "Pedidos com pagamento negado"),
            Tile("Receita", formats.pounds(revenue), f"Pedidos pagos {source.span}"),
            Tile("Exemplares", level("livraria_stock_units"), "Exemplares à venda"),
            Tile("Estoque baixo", level("livraria_low_stock_books"), "Livros com 1 a 3 exemplares"),
            Tile("Esgotados", level("livraria_out_of_stock_books"), "Livros sem nenhum exemplar"),
        ]
    )


def show_traffic_chart(source: Source, where: Matches = NOT_MONITORING) -> None:
    st.markdown("**Respostas por classe de status**")
    frame = source.rate("api_requests_total", ("status",), where)
    frame["Status"] = [f"{status[:1]}xx" if status[:1] in "2345" else "outros" for status in frame["status"]]
    frame = frame.groupby(["time", "Status"])["value"].sum(min_count=1).reset_index()
    charts.show_lines(
        frame,
        "Requisições (req/s)",
        series="Status",
        colours=charts.STATUS_COLOURS,
        alt_text="Requisições por segundo de cada classe de status",
    )


def show_latency_chart(source: Source, where: Matches = NOT_MONITORING) -> None:
    st.markdown("**Latência**")
    frames = [
        source.quantile(share, LATENCY, (), where).assign(Percentil=name)
        for name, share in _LATENCY_QUANTILES.items()
    ]
    frame = pd.concat(frames, ignore_index=True)
    charts.show_lines(
        frame.assign(value=1_000 * frame["value"]),
        "Latência (ms)",
        series="Percentil",
        number_format=",.3~r",
        alt_text="Os percentis 50, 95 e 99 da latência",
    )


def show_total_bars(
    totals: pd.DataFrame, label: str, name: str, value: str, words: Mapping[str, str]
) -> None:
    """Draw totals by `label`, the highest first; `name` and `value` title the axes, `words` translates labels."""
    totals = totals[totals["value"].round() > 0].sort_values("value", ascending=False)
    bars = pd.DataFrame(
        {name: [words.get(key, key) for key in totals[label]], value: totals["value"].round()}
    )
    if bars.empty:
        st.caption("Nenhum.")
        return
    charts.show_bars(bars, name, value, alt_text=f"{value} por {name.lower()}")
