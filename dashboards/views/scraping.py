"""Scraping: the run that goes on, and those before it."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from dashboards import parts
from dashboards.api import CHANGES
from dashboards.connections import api
from dashboards.page import show_page, telling
from dashboards.servers import Refused
from dashboards.tables import show_table


def body() -> None:
    with telling():
        parts.scraping_progress(api().progress())
        st.subheader("Execuções", divider="gray")
        try:
            history(api().runs())
        except Refused as refusal:
            parts.explain_token(refusal, "ver a história das execuções")


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
    table["Estado"] = [parts.RUN_STATES.get(state, state) for state in table["Estado"]]
    whole = ("Livros lidos", "Páginas com falha", "Versão publicada", *map(str.capitalize, CHANGES))
    show_table(table, decimals={"Duração (s)": 1, **dict.fromkeys(whole, 0)})


show_page("Scraping", body)
