"""Experimente: one prediction, and what to think of it."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from dashboards import formats
from dashboards.client.http_client import Problem, Server
from dashboards.client.model import BASELINE, BEATS, REFUSED, UNTRAINED, Prediction, predict
from dashboards.components import charts
from dashboards.components.labels import FEATURES, stars
from dashboards.components.page_layout import tell

KEY = "predicao"
_WHAT_TO_THINK = {
    BASELINE: "É a avaliação mais comum do catálogo: nenhum modelo a supera, e o que se digita não muda a resposta.",
    UNTRAINED: "Ainda não há modelo: é a avaliação mais comum do catálogo, e o que se digita não muda a resposta.",
    REFUSED: "O modelo foi recusado: é a avaliação mais comum do catálogo, e o que se digita não muda a resposta.",
}


def form(server: Server) -> None:
    st.subheader("Experimente", divider="gray")
    with st.form("experimente"), st.container(horizontal=True, vertical_alignment="bottom"):
        book = {
            "preco_com_taxa": st.number_input("Preço com taxa (£)", 0.0, 99_999_999.0, 51.77, width=190),
            "preco_sem_taxa": st.number_input("Preço sem taxa (£)", 0.0, 99_999_999.0, 51.77, width=190),
            "disponibilidade": st.number_input("Disponibilidade", 0, 1_000_000, 22, width=190),
        }
        asked = st.form_submit_button("Prever a avaliação", icon=":material/psychology:")
    if asked:
        st.session_state.pop(KEY, None)
        try:
            st.session_state[KEY] = predict(server, book)
        except Problem as problem:
            tell(problem)
    answered = st.session_state.get(KEY)
    if answered is not None:
        show(answered)


def show(prediction: Prediction) -> None:
    st.markdown(
        f"**Avaliação prevista: {stars(prediction.rating)} ({prediction.rating})** · "
        f"probabilidade {formats.percent(prediction.probabilities.get(prediction.rating))} · "
        f"{what_to_think(prediction)}"
    )
    if prediction.far_out:
        names = ", ".join(FEATURES.get(feature, feature).lower() for feature in prediction.far_out)
        st.warning(
            f"Muito fora dos dados de treino: {names}. Sobre tais valores o modelo nada sabe.",
            icon=":material/warning:",
        )
    shares = prediction.probabilities
    charts.columns(
        pd.DataFrame(
            {"Avaliação": [stars(rating) for rating in shares], "Probabilidade": list(shares.values())}
        ),
        "Avaliação",
        "Probabilidade",
        number=".0%",
        alternative="A probabilidade de cada avaliação",
    )


def what_to_think(prediction: Prediction) -> str:
    if prediction.verdict == BEATS:
        if prediction.feature_set:
            return (
                f"É do modelo {prediction.version}, que supera a linha de base; o acerto dele está no alto."
            )
        return (
            "O modelo só supera a linha de base com título e categoria: sem eles, é a avaliação mais comum."
        )
    return _WHAT_TO_THINK.get(prediction.verdict, "")
