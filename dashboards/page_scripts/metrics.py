"""Métricas Prometheus: requests, errors, orders and stock, by route, type and book."""

import pandas as pd
import streamlit as st

from dashboards import formats
from dashboards.client.catalogue import fetch_books
from dashboards.client.connect import api_client
from dashboards.client.http_client import RequestFailed
from dashboards.components import charts, metric_panels
from dashboards.components.labels import PAYMENT_OUTCOMES
from dashboards.components.page_layout import reporting_errors, show_page
from dashboards.components.tables import show_table
from dashboards.metrics.selection import current_source
from dashboards.metrics.source import Match, Matches, Source, last_value

QUANTILES = {"p50 (ms)": 0.50, "p95 (ms)": 0.95, "p99 (ms)": 0.99}
LOWEST_STOCKS = 20


def body() -> None:
    with reporting_errors():
        source = current_source()
        metric_panels.warn_if_api_is_down(source)
        st.caption(f"Fonte: {source.name}. Totais {source.span}.")
        all_traffic = st.toggle("Incluir o tráfego do próprio monitoramento (/metrics e /health)", key="tudo")
        where = () if all_traffic else metric_panels.NOT_MONITORING
        metric_panels.show_traffic_tiles(source, where)
        show_requests(source, where)
        show_errors(source)
        show_orders(source)
        show_stock(source)


def show_requests(source: Source, where: Matches) -> None:
    st.subheader("Requisições", divider="gray")
    first_column, second_column = st.columns(2)
    with first_column:
        metric_panels.show_traffic_chart(source, where)
    with second_column:
        metric_panels.show_latency_chart(source, where)
    st.markdown("**Requisições por rota**")
    charts.show_lines(
        source.rate("api_requests_total", ("endpoint",), where).rename(columns={"endpoint": "Rota"}),
        "Requisições (req/s)",
        series="Rota",
        alt_text="Requisições por segundo de cada rota",
    )
    st.markdown("**Latência p95 por rota**")
    latencies = source.quantile(0.95, metric_panels.LATENCY, ("endpoint",), where)
    charts.show_lines(
        latencies.assign(value=1_000 * latencies["value"]).rename(columns={"endpoint": "Rota"}),
        "Latência p95 (ms)",
        series="Rota",
        number_format=",.3~r",
        alt_text="O percentil 95 da latência de cada rota",
    )
    st.markdown(f"**Rotas** {source.span}")
    show_routes(source, where)


def show_routes(source: Source, where: Matches) -> None:
    by = ("method", "endpoint")
    table = source.total("api_requests_total", by, where).rename(columns={"value": "Requisições"})
    errors = source.total("api_requests_total", by, (*where, Match("status", "[45]..")))
    table = table.merge(errors.rename(columns={"value": "Erros"}), on=list(by), how="left")
    table["Erros"] = table["Erros"].fillna(0)
    for title, quantile in QUANTILES.items():
        latencies = source.total_quantile(quantile, metric_panels.LATENCY, by, where)
        latencies[title] = 1_000 * latencies.pop("value")
        table = table.merge(latencies, on=list(by), how="left")
    table = table[table["Requisições"].round() > 0].sort_values("Requisições", ascending=False)
    show_table(
        table.rename(columns={"method": "Método", "endpoint": "Rota"}),
        decimals={"Requisições": 0, "Erros": 0, **dict.fromkeys(QUANTILES, 1)},
    )


def show_errors(source: Source) -> None:
    st.subheader("Erros e concorrência", divider="gray")
    first_column, second_column = st.columns(2)
    with first_column:
        st.markdown(f"**Erros por tipo** {source.span}")
        metric_panels.show_total_bars(
            source.total("api_errors_total", ("error_type",)), "error_type", "Tipo", "Erros", {}
        )
    with second_column:
        st.markdown("**Requisições em andamento**")
        charts.show_lines(
            source.levels("ecommerce_active_sessions_gauge", summed=True),
            "Em andamento",
            number_format=",.0f",
            alt_text="Requisições em andamento ao longo do tempo",
        )


def show_orders(source: Source) -> None:
    st.subheader("Pedidos e pagamentos", divider="gray")
    first_column, second_column = st.columns(2)
    with first_column:
        st.markdown(f"**Pedidos por resultado do pagamento** {source.span}")
        orders = source.total("ecommerce_orders_created_total", ("payment_status",))
        metric_panels.show_total_bars(orders, "payment_status", "Resultado", "Pedidos", PAYMENT_OUTCOMES)
    with second_column:
        st.markdown(f"**Respostas do meio de pagamento** {source.span}")
        payments = source.total("livraria_payments_total", ("outcome",))
        metric_panels.show_total_bars(payments, "outcome", "Resposta", "Pagamentos", PAYMENT_OUTCOMES)
    payment_p95, order_p95 = (
        formats.latency(last_value(source.total_quantile(0.95, histogram)))
        for histogram in ("livraria_payment_latency_seconds", "ecommerce_order_processing_latency_seconds")
    )
    st.caption(f"Pagamento: p95 de {payment_p95} · Pedido: p95 de {order_p95} {source.span}.")


def show_stock(source: Source) -> None:
    st.subheader("Estoque por livro", divider="gray")
    stocks = source.level("ecommerce_inventory_level_gauge", ("product_id",))
    in_stock = stocks[stocks["value"] > 0]
    st.caption(
        "Dos livros vendidos por último e dos de menor estoque, como a API os expõe, os que ainda têm menos "
        f"exemplares; {len(stocks) - len(in_stock)} estão esgotados."
    )
    lowest = in_stock.nsmallest(LOWEST_STOCKS, "value")
    titles = _titles()
    books = [
        f"{book} · {titles[book]}" if book in titles else f"Livro {book}" for book in lowest["product_id"]
    ]
    charts.show_bars(
        pd.DataFrame({"Livro": books, "Exemplares": lowest["value"].tolist()}),
        "Livro",
        "Exemplares",
        alt_text="Estoque de cada livro exposto",
    )


def _titles() -> dict[str, str]:
    """Return titles by book id; none where the API is down, because the ids will do."""
    try:
        books = fetch_books(api_client())
    except RequestFailed:
        return {}
    return dict(zip(books["id"].astype(str), books["titulo"], strict=True))


show_page("Métricas Prometheus", body)
