"""Scraping: the run that goes on, and those before it."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from dashboards.client.catalogue import CHANGES
from dashboards.client.http_client import Refused
from dashboards.components import metric_panels
from dashboards.components.page_layout import show_page, telling
from dashboards.components.tables import show_table
from dashboards.connections import api


def body() -> None:
    with telling():
        metric_panels.scraping_progress(api().progress())
        st.subheader("Execuções", divider="gray")
        try:
            history(api().runs())
        except Refused as refusal:
            metric_panels.explain_token(refusal, "ver a história das execuções")


def history(runs: pd.DataFrame) -> None:
    if runs.empty:
        st.caption("Nenhuma execução ainda: dispare a primeira com `POST /api/v1/scraping/trigger`.")
        return
    titles = {
        "id": "Execução",
        "iniciada_em": "Início",
        "status": "Estado",
        "duracao_s": "Duração (s)",
        "livros_lidos": "Livros lidos",
        "paginas_com_falha": "Páginas com falha",
        "versao_publicada": "Versão publicada",
        "iniciada_por": "Por",
        **{change: change.capitalize() for change in CHANGES},
        "motivo": "Motivo",
    }
    table = runs[list(titles)].rename(columns=titles)
    table["Estado"] = [metric_panels.RUN_STATES.get(state, state) for state in table["Estado"]]
    whole = ("Livros lidos", "Páginas com falha", "Versão publicada", *map(str.capitalize, CHANGES))
    show_table(table, decimals={"Duração (s)": 1, **dict.fromkeys(whole, 0)})


show_page("Scraping", body)
