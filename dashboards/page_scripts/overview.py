"""Visão geral: in ten seconds, what the shop is doing."""

from __future__ import annotations

from datetime import UTC, datetime

import streamlit as st

from dashboards import formats
from dashboards.client.catalogue import Api, Health
from dashboards.client.http_client import Problem
from dashboards.client.model import read_card
from dashboards.components import metric_panels
from dashboards.components.page_layout import Tile, show_page, telling, tiles, zone
from dashboards.connections import api, source
from dashboards.metrics.source import Source, only


def body() -> None:
    with telling():
        catalogue_origin(api().health())
    with telling():
        figures = source()
        metric_panels.note_if_down(figures)
        metric_panels.traffic_tiles(figures)
        shop_tiles(figures)
        left, right = st.columns(2)
        with left:
            metric_panels.traffic_chart(figures)
        with right:
            metric_panels.latency_chart(figures)
    with telling():
        scraping(api())
    with telling():
        model(api())


def catalogue_origin(health: Health) -> None:
    st.badge("No ar", icon=":material/check_circle:", color="green")
    published = (
        f"{formats.number(health.books)} livros · versão {formats.number(health.version)} do catálogo · "
        f"publicado em {formats.moment(health.published_at, zone())} "
        f"({formats.ago(health.published_at, datetime.now(UTC))})"
    )
    if health.demonstration:
        st.warning(
            "**Este é o catálogo de demonstração**, de livros inventados; o primeiro scraping o substitui. "
            f"{published}",
            icon=":material/science:",
        )
    else:
        st.markdown(f"Catálogo de {health.source_url}: {published}")


def shop_tiles(figures: Source) -> None:
    orders = metric_panels.orders_by_status(figures)
    tiles(
        [
            Tile("Pedidos", formats.number(orders.total), "Todos os pedidos registrados, em qualquer estado"),
            Tile("Taxa de recusa", formats.percent(orders.denial_rate), "Pedidos com pagamento negado"),
            Tile(
                "Receita",
                formats.pounds(only(figures.total("ecommerce_revenue_pounds_total"))),
                f"Pedidos pagos {figures.span}",
            ),
            *metric_panels.stock_tiles(figures),
        ]
    )
    st.caption(f"Receita: {figures.span}. Estoque e pedidos: agora. Fonte: {figures.name}.")


def scraping(server: Api) -> None:
    st.subheader("Scraping", divider="gray")
    progress = server.progress()
    metric_panels.scraping_progress(progress)
    if progress.status != "processing":
        return
    try:
        runs = server.runs()
    except Problem as problem:
        metric_panels.explain_token(problem, "ver o que a última execução mudou")
        return
    compared = runs.dropna(subset="adicionados")
    if not compared.empty:
        st.caption(
            f"O que mudou na execução {compared.iloc[0]['id']}: {metric_panels.changes(compared.iloc[0])}"
        )


def model(server: Api) -> None:
    st.subheader("Modelo", divider="gray")
    card = read_card(server.server)
    st.markdown("Ainda não há modelo treinado." if card is None else card.sentence)


show_page("Visão geral", body)
