"""Métricas Prometheus: every request, error and order, by route."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from dashboards import formats
from dashboards.client.http_client import Problem
from dashboards.components import charts, metric_panels
from dashboards.components.page_layout import show_page, telling
from dashboards.components.tables import show_table
from dashboards.connections import api, source
from dashboards.metrics.source import Match, Source

QUANTILES = {"p50 (ms)": 0.50, "p95 (ms)": 0.95, "p99 (ms)": 0.99}
INVENTORY_SHOWN = 20


def body() -> None:
    with telling():
        figures = source()
        metric_panels.note_if_down(figures)
        st.caption(f"Fonte: {figures.name}. Totais {figures.span}.")
        all_traffic = st.toggle("Incluir o tráfego do próprio monitoramento (/metrics e /health)", key="tudo")
        where = () if all_traffic else metric_panels.NOT_MONITORING
        metric_panels.traffic_tiles(figures, where)
        requests(figures, where)
        errors(figures)
        orders(figures)
        inventory(figures)


def requests(figures: Source, where: tuple[Match, ...]) -> None:
    st.subheader("Requisições", divider="gray")
    left, right = st.columns(2)
    with left:
        metric_panels.traffic_chart(figures, where)
    with right:
        metric_panels.latency_chart(figures, where)
    st.markdown("**Requisições por rota**")
    charts.lines(
        figures.rate("api_requests_total", ("endpoint",), where).rename(columns={"endpoint": "Rota"}),
        "Requisições (req/s)",
        series="Rota",
        alternative="Requisições por segundo de cada rota",
    )
    st.markdown("**Latência p95 por rota**")
    slow = figures.quantile(0.95, "api_request_latency_seconds", ("endpoint",), where)
    charts.lines(
        slow.assign(value=1_000 * slow["value"]).rename(columns={"endpoint": "Rota"}),
        "Latência p95 (ms)",
        series="Rota",
        number=",.3~r",
        alternative="O percentil 95 da latência de cada rota",
    )
    st.markdown(f"**Rotas** {figures.span}")
    routes(figures, where)


def routes(figures: Source, where: tuple[Match, ...]) -> None:
    by = ("method", "endpoint")
    table = figures.total("api_requests_total", by, where).rename(columns={"value": "Requisições"})
    failed = figures.total("api_requests_total", by, (*where, Match("status", "[45]..")))
    table = table.merge(failed.rename(columns={"value": "Erros"}), on=list(by), how="left")
    table["Erros"] = table["Erros"].fillna(0)
    for title, quantile in QUANTILES.items():
        found = figures.total_quantile(quantile, "api_request_latency_seconds", by, where)
        found[title] = 1_000 * found.pop("value")
        table = table.merge(found, on=list(by), how="left")
    table = table[table["Requisições"].round() > 0].sort_values("Requisições", ascending=False)
    show_table(
        table.rename(columns={"method": "Método", "endpoint": "Rota"}),
        decimals={"Requisições": 0, "Erros": 0, **dict.fromkeys(QUANTILES, 1)},
    )


def errors(figures: Source) -> None:
    st.subheader("Erros e concorrência", divider="gray")
    left, right = st.columns(2)
    with left:
        st.markdown(f"**Erros por tipo** {figures.span}")
        metric_panels.total_bars(
            figures.total("api_errors_total", ("error_type",)), "error_type", "Tipo", "Erros", {}
        )
    with right:
        st.markdown("**Requisições em andamento**")
        charts.lines(
            figures.levels("ecommerce_active_sessions_gauge", summed=True),
            "Em andamento",
            number=",.0f",
            alternative="Requisições em andamento ao longo do tempo",
        )


def orders(figures: Source) -> None:
    st.subheader("Pedidos e pagamentos", divider="gray")
    left, right = st.columns(2)
    with left:
        st.markdown(f"**Pedidos por resultado do pagamento** {figures.span}")
        metric_panels.total_bars(
            figures.total("ecommerce_orders_created_total", ("payment_status",)),
            "payment_status",
            "Resultado",
            "Pedidos",
            metric_panels.OUTCOMES,
        )
    with right:
        st.markdown(f"**Respostas do meio de pagamento** {figures.span}")
        metric_panels.total_bars(
            figures.total("livraria_payments_total", ("outcome",)),
            "outcome",
            "Resposta",
            "Pagamentos",
            metric_panels.OUTCOMES,
        )
    latencies = {
        "Pagamento": "livraria_payment_latency_seconds",
        "Pedido": "ecommerce_order_processing_latency_seconds",
    }
    told = [
        f"{what}: p95 de {formats.latency(metric_panels.total_quantile(figures, 0.95, name))}"
        for what, name in latencies.items()
    ]
    st.caption(" · ".join(told) + f" {figures.span}.")


def inventory(figures: Source) -> None:
    st.subheader("Estoque por livro", divider="gray")
    frame = figures.level("ecommerce_inventory_level_gauge", ("product_id",))
    left = frame[frame["value"] > 0]
    st.caption(
        "Dos livros vendidos por último e dos de menor estoque, como a API os expõe, os que ainda têm menos "
        f"exemplares; {len(frame) - len(left)} estão esgotados."
    )
    frame = left.nsmallest(INVENTORY_SHOWN, "value").rename(columns={"value": "Exemplares"})
    titles = _titles()
    frame["Livro"] = [
        f"{key} · {titles[key]}" if key in titles else f"Livro {key}" for key in frame["product_id"]
    ]
    charts.bars(
        pd.DataFrame(frame[["Livro", "Exemplares"]]), "Livro", "Exemplares", alternative="Estoque de cada livro exposto"
    )  # fmt: skip


def _titles() -> dict[str, str]:
    """Only an ornament: without the API the numbers do."""
    try:
        books = api().books()
    except Problem:
        return {}
    return dict(zip(books["id"].astype(str), books["titulo"], strict=True))


show_page("Métricas Prometheus", body)
