"""Experimente: one prediction, with its probabilities and what it is worth."""

import pandas as pd
import streamlit as st

from dashboards import formats
from dashboards.client.http_client import HttpClient, RequestFailed
from dashboards.client.model import BASELINE, BEATS_BASELINE, REJECTED, UNTRAINED, Prediction, predict
from dashboards.components import charts
from dashboards.components.labels import FEATURES, stars
from dashboards.components.page_layout import report

KEY = "predicao"
_ASSESSMENTS = {
    BASELINE: "É a avaliação mais comum do catálogo: nenhum modelo a supera, e o que se digita não muda a resposta.",
    UNTRAINED: "Ainda não há modelo: é a avaliação mais comum do catálogo, e o que se digita não muda a resposta.",
    REJECTED: "O modelo foi recusado: é a avaliação mais comum do catálogo, e o que se digita não muda a resposta.",
}


def show_form(client: HttpClient) -> None:
    st.subheader("Experimente", divider="gray")
    with st.form("experimente"), st.container(horizontal=True, vertical_alignment="bottom"):
        book = {
            "preco_com_taxa": st.number_input("Preço com taxa (£)", 0.0, 99_999_999.0, 51.77, width=190),
            "preco_sem_taxa": st.number_input("Preço sem taxa (£)", 0.0, 99_999_999.0, 51.77, width=190),
            "disponibilidade": st.number_input("Disponibilidade", 0, 1_000_000, 22, width=190),
        }
        submitted = st.form_submit_button("Prever a avaliação", icon=":material/psychology:")
    if submitted:
        st.session_state.pop(KEY, None)
        try:
            st.session_state[KEY] = predict(client, book)
        except RequestFailed as error:
            report(error)
    prediction = st.session_state.get(KEY)
    if prediction is not None:
        show_prediction(prediction)


def show_prediction(prediction: Prediction) -> None:
    st.markdown(
        f"**Avaliação prevista: {stars(prediction.rating)} ({prediction.rating})** · "
        f"probabilidade {formats.percent(prediction.probabilities.get(prediction.rating))} · "
        f"{assess(prediction)}"
    )
    if prediction.out_of_distribution:
        names = ", ".join(FEATURES.get(name, name).lower() for name in prediction.out_of_distribution)
        st.warning(
            f"Muito fora dos dados de treino: {names}. Sobre tais valores o modelo nada sabe.",
            icon=":material/warning:",
        )
    ratings, shares = map(stars, prediction.probabilities), prediction.probabilities.values()
    charts.show_bars(
        pd.DataFrame({"Avaliação": list(ratings), "Probabilidade": list(shares)}),
        "Avaliação",
        "Probabilidade",
        upright=True,
        number_format=".0%",
        alt_text="A probabilidade de cada avaliação",
    )


def assess(prediction: Prediction) -> str:
    """Say whether a model or the baseline predicted."""
    if prediction.verdict != BEATS_BASELINE:
        return _ASSESSMENTS.get(prediction.verdict, "")
    if prediction.feature_set:
        return f"É do modelo {prediction.version}, que supera a linha de base; o acerto dele está no alto."
    return "O modelo só supera a linha de base com título e categoria: sem eles, é a avaliação mais comum."
