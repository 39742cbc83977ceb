"""Pedidos e estoque: what was ordered, what was refused, what it brought, what is left."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from dashboards import formats
from dashboards.components import charts, metric_panels
from dashboards.components.page_layout import Tile, show_page, telling, tiles
from dashboards.components.tables import show_table
from dashboards.connections import api, source
from dashboards.metrics.source import Source, only

LOWEST_SHOWN = 25


def body() -> None:
    with telling():
        figures = source()
        metric_panels.note_if_down(figures)
        headline(figures)
        left, right = st.columns(2)
        with left:
            st.markdown("**Pedidos por estado, agora**")
            states = metric_panels.orders_by_status(figures).table()
            charts.bars(states, "Estado", "Pedidos", alternative="Quantos pedidos há em cada estado")
        with right:
            st.markdown("**Taxa de recusa ao longo do tempo**")
            denied(figures)
        left, right = st.columns(2)
        with left:
            st.markdown("**Receita ao longo do tempo**")
            revenue = figures.rate("ecommerce_revenue_pounds_total")
            charts.lines(
                revenue.assign(value=60 * revenue["value"]),
                "Receita (£ por minuto)",
                number="$,.2f",
                alternative="Receita por minuto ao longo do tempo",
            )
        with right:
            st.markdown("**Exemplares à venda ao longo do tempo**")
            charts.lines(
                figures.levels("livraria_stock_units"),
                "Exemplares",
                number=",.0f",
                alternative="Exemplares em estoque ao longo do tempo",
            )
    with telling():
        lowest()


def headline(figures: Source) -> None:
    orders = metric_panels.orders_by_status(figures)
    revenue = only(figures.total("ecommerce_revenue_pounds_total"))
    sold = only(figures.total("ecommerce_units_sold_total"))
    tiles(
        [
            Tile("Pedidos", formats.number(orders.total), "Todos os registrados, em qualquer estado"),
            Tile("Taxa de recusa", formats.percent(orders.denial_rate), "Pedidos com pagamento negado"),
            Tile("Receita", formats.pounds(revenue), f"Pedidos pagos {figures.span}"),
            *metric_panels.stock_tiles(figures),
        ]
    )
    st.caption(
        f"Receita e {formats.number(sold)} exemplares vendidos: {figures.span}. "
        f"Pedidos e estoque: agora. Fonte: {figures.name}."
    )
    mismatches = only(figures.level("ecommerce_ledger_mismatches"))
    if mismatches:
        st.error(
            f"A última auditoria achou {formats.number(mismatches)} diferenças entre estoque, pedidos e movimentos.",
            icon=":material/rule:",
        )


def denied(figures: Source) -> None:
    """The share of denials among the orders whose payment came to an end."""
    rates = figures.rate("ecommerce_orders_created_total", ("payment_status",))
    wide = rates.pivot_table(index="time", columns="payment_status", values="value", aggfunc="sum")
    every = wide.sum(axis=1)
    share = wide.get("denied", pd.Series(0.0, index=wide.index)) / every.where(every > 0)
    if not share.notna().any():
        st.caption("Nenhum pedido nas leituras que há.")
        return
    charts.lines(
        pd.DataFrame({"time": share.index, "value": share.to_numpy()}),
        "Pedidos recusados (%)",
        number=".0%",
        alternative="Parte dos pedidos cujo pagamento foi negado",
    )


def lowest() -> None:
    st.subheader("Menores estoques", divider="gray")
    books = api().books({"sort": "disponibilidade", "order": "asc", "page": 1, "per_page": LOWEST_SHOWN})
    show_table(
        books[["id", "titulo", "categoria", "disponibilidade", "preco_com_taxa"]].rename(
            columns={
                "id": "Id",
                "titulo": "Título",
                "categoria": "Categoria",
                "disponibilidade": "Exemplares",
                "preco_com_taxa": "Preço com taxa (£)",
            }
        ),
        decimals={"Exemplares": 0, "Preço com taxa (£)": 2},
    )


show_page("Pedidos e estoque", body)
