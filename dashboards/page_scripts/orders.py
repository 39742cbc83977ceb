"""Pedidos e estoque: orders, denials, revenue and stock."""

import pandas as pd
import streamlit as st

from dashboards import formats
from dashboards.client.catalogue import fetch_books
from dashboards.client.connect import api_client
from dashboards.components import charts, metric_panels
from dashboards.components.labels import ORDER_STATES
from dashboards.components.page_layout import reporting_errors, show_page
from dashboards.components.tables import show_table
from dashboards.metrics.selection import current_source
from dashboards.metrics.source import Source, last_value

LOWEST_STOCKS = 25


def body() -> None:
    with reporting_errors():
        source = current_source()
        metric_panels.warn_if_api_is_down(source)
        show_headline(source)
        first_column, second_column = st.columns(2)
        with first_column:
            show_states(source)
        with second_column:
            show_denial_rate(source)
        first_column, second_column = st.columns(2)
        with first_column:
            show_revenue(source)
        with second_column:
            st.markdown("**Exemplares à venda ao longo do tempo**")
            charts.show_lines(
                source.levels("livraria_stock_units"),
                "Exemplares",
                number_format=",.0f",
                alt_text="Exemplares em estoque ao longo do tempo",
            )
    with reporting_errors():
        show_lowest_stocks()


def show_headline(source: Source) -> None:
    metric_panels.show_shop_tiles(source)
    units = last_value(source.total("ecommerce_units_sold_total"))
    st.caption(
        f"Receita e {formats.number(units)} exemplares vendidos: {source.span}. "
        f"Pedidos e estoque: agora. Fonte: {source.name}."
    )
    mismatches = last_value(source.level("ecommerce_ledger_mismatches"))
    if mismatches:
        st.error(
            f"A última auditoria achou {formats.number(mismatches)} diferenças entre estoque, pedidos e movimentos.",
            icon=":material/rule:",
        )


def show_states(source: Source) -> None:
    st.markdown("**Pedidos por estado, agora**")
    orders = metric_panels.orders_by_status(source)
    known = [status for status in ORDER_STATES if status in orders]
    states = known + sorted(set(orders) - set(known))
    names = [ORDER_STATES.get(state, state) for state in states]
    table = pd.DataFrame({"Estado": names, "Pedidos": [orders[state] for state in states]})
    charts.show_bars(table, "Estado", "Pedidos", alt_text="Quantos pedidos há em cada estado")


def show_denial_rate(source: Source) -> None:
    """Draw the share of denials among the orders whose payment was decided."""
    st.markdown("**Taxa de recusa ao longo do tempo**")
    rates = source.rate("ecommerce_orders_created_total", ("payment_status",))
    by_status = rates.pivot_table(index="time", columns="payment_status", values="value", aggfunc="sum")
    total = by_status.sum(axis=1)
    share = by_status.get("denied", pd.Series(0.0, index=by_status.index)) / total.where(total > 0)
    if not share.notna().any():
        st.caption("Nenhum pedido nas leituras que há.")
        return
    charts.show_lines(
        pd.DataFrame({"time": share.index, "value": share.to_numpy()}),
        "Pedidos recusados (%)",
        number_format=".0%",
        alt_text="Parte dos pedidos cujo pagamento foi negado",
    )


def show_revenue(source: Source) -> None:
    st.markdown("**Receita ao longo do tempo**")
    revenue = source.rate("ecommerce_revenue_pounds_total")
    charts.show_lines(
        revenue.assign(value=60 * revenue["value"]),
        "Receita (£ por minuto)",
        number_format="$,.2f",
        alt_text="Receita por minuto ao longo do tempo",
    )


def show_lowest_stocks() -> None:
    st.subheader("Menores estoques", divider="gray")
    books = fetch_books(
        api_client(), {"sort": "disponibilidade", "order": "asc", "page": 1, "per_page": LOWEST_STOCKS}
    )
    titles = {
        "id": "Id",
        "titulo": "Título",
        "categoria": "Categoria",
        "disponibilidade": "Exemplares",
        "preco_com_taxa": "Preço com taxa (£)",
    }
    show_table(
        books[list(titles)].rename(columns=titles), decimals={"Exemplares": 0, "Preço com taxa (£)": 2}
    )


show_page("Pedidos e estoque", body)
