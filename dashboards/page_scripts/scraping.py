"""Scraping: the newest run, the schedule, and the history of runs."""

import pandas as pd
import streamlit as st

from dashboards.client.connect import api_client, operator_client
from dashboards.client.http_client import HttpStatusError
from dashboards.client.scraping import CHANGES, fetch_progress, fetch_runs, fetch_schedule
from dashboards.components.labels import RUN_STATES
from dashboards.components.page_layout import explain_forbidden, reporting_errors, show_page
from dashboards.components.scraping_progress import show_progress, show_schedule
from dashboards.components.tables import show_table


def body() -> None:
    with reporting_errors():
        show_progress(fetch_progress(api_client()))
        show_schedule(fetch_schedule(api_client()))
        st.subheader("Execuções", divider="gray")
        try:
            show_history(fetch_runs(operator_client()))
        except HttpStatusError as error:
            explain_forbidden(error, "ver o histórico das execuções")


def show_history(runs: pd.DataFrame) -> None:
    if runs.empty:
        st.caption("Nenhuma execução ainda: dispare a primeira com `POST /api/v1/scraping/trigger`.")
        return
    titles = {
        "id": "Execução",
        "iniciada_em": "Início",
        "status": "Estado",
        "iniciada_por": "Por",
        "url_base": "Fonte",
        "duracao_s": "Duração (s)",
        "livros_lidos": "Livros lidos",
        "paginas_com_falha": "Páginas com falha",
        "versao_publicada": "Versão publicada",
        **{change: change.capitalize() for change in CHANGES},
        "motivo": "Motivo",
    }
    table = runs[list(titles)].rename(columns=titles)
    table["Estado"] = [RUN_STATES.get(state, state) for state in table["Estado"]]
    integers = ("Livros lidos", "Páginas com falha", "Versão publicada", *map(str.capitalize, CHANGES))
    show_table(table, decimals={"Duração (s)": 1, **dict.fromkeys(integers, 0)})


show_page("Scraping", body)
