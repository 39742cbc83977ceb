"""Visão geral: the state of the shop at a glance."""

from datetime import UTC, datetime

import streamlit as st

from dashboards import formats
from dashboards.client.catalogue import Health, fetch_health
from dashboards.client.connect import api_client, operator_client
from dashboards.client.http_client import HttpStatusError
from dashboards.client.model import fetch_card
from dashboards.client.scraping import fetch_progress, fetch_runs
from dashboards.components import metric_panels
from dashboards.components.page_layout import explain_forbidden, reader_timezone, reporting_errors, show_page
from dashboards.components.scraping_progress import describe_changes, show_progress
from dashboards.metrics.selection import current_source


def body() -> None:
    with reporting_errors():
        show_catalogue_origin(fetch_health(api_client()))
    with reporting_errors():
        show_metrics()
    with reporting_errors():
        show_scraping()
    with reporting_errors():
        st.subheader("Modelo", divider="gray")
        card = fetch_card(api_client())
        st.markdown("Ainda não há modelo treinado." if card is None else card.sentence)


def show_catalogue_origin(health: Health) -> None:
    st.badge("No ar", icon=":material/check_circle:", color="green")
    published = (
        f"{formats.number(health.books)} livros · versão {formats.number(health.version)} do catálogo · "
        f"publicado em {formats.date_time(health.published_at, reader_timezone())} "
        f"({formats.ago(health.published_at, datetime.now(UTC))})"
    )
    if health.is_demonstration:
        st.warning(
            "**Este é o catálogo de demonstração**, de livros inventados; o primeiro scraping o substitui. "
            f"{published}",
            icon=":material/science:",
        )
    else:
        st.markdown(f"Catálogo de {health.source_url}: {published}")


def show_metrics() -> None:
    source = current_source()
    metric_panels.warn_if_api_is_down(source)
    metric_panels.show_traffic_tiles(source)
    metric_panels.show_shop_tiles(source)
    st.caption(f"Receita: {source.span}. Estoque e pedidos: agora. Fonte: {source.name}.")
    first_column, second_column = st.columns(2)
    with first_column:
        metric_panels.show_traffic_chart(source)
    with second_column:
        metric_panels.show_latency_chart(source)


def show_scraping() -> None:
    st.subheader("Scraping", divider="gray")
    progress = fetch_progress(api_client())
    show_progress(progress)
    if progress.status != "processing":
        return
    try:
        runs = fetch_runs(operator_client())
    except HttpStatusError as error:
        explain_forbidden(error, "ver o que a última execução mudou")
        return
    compared_runs = runs.dropna(subset="adicionados")
    if not compared_runs.empty:
        newest = compared_runs.iloc[0]
        st.caption(f"O que mudou na execução {newest['id']}: {describe_changes(newest)}")


show_page("Visão geral", body)
