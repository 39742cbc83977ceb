"""Modelo: whether it is worth anything beside the commonest rating, and whether what it is asked has changed."""

from __future__ import annotations

from datetime import UTC, datetime

import pandas as pd
import streamlit as st

from dashboards import formats
from dashboards.client.http_client import Server
from dashboards.client.model import BEATS, DRIFTED, Card, Training, read_card, read_training
from dashboards.components import charts, metric_panels, model_charts, prediction_form
from dashboards.components.labels import CANDIDATES, FEATURE_SETS, FEATURES, SETS, stars
from dashboards.components.page_layout import Tile, show_page, telling, tiles, zone
from dashboards.components.tables import show_table
from dashboards.connections import api, source
from dashboards.metrics.source import Source

RATINGS = ("1", "2", "3", "4", "5")
_PERCENT = {"Acerto (%)": "Acerto", "Desvio (p.p.)": "Desvio", "Ganho (p.p.)": "ganho"}


def body() -> None:
    with telling():
        value(api().server)
    with telling():
        figures = source()
        metric_panels.note_if_down(figures)
        use(figures)
    with telling():
        prediction_form.form(api().server)


def value(server: Server) -> None:
    card, newest = read_card(server), read_training(server)
    if card is None:
        st.info(
            "**Ainda não há modelo treinado**: as predições respondem a avaliação mais comum do catálogo. O treino "
            "começa com a publicação de um catálogo, ou com `POST /api/v1/ml/train`.",
            icon=":material/hourglass_empty:",
        )
        training(newest)
        return
    if card.problem:
        st.error(
            f"**A versão {card.version} não está em uso**: {card.problem} Responde a avaliação mais comum do catálogo.",
            icon=":material/gpp_bad:",
        )
    if card.verdict == BEATS:
        st.success(f"**{card.sentence}**", icon=":material/trending_up:")
    else:
        st.info(f"**{card.sentence}**", icon=":material/balance:")
    training(newest)
    headline(card)
    candidates(card)


def training(newest: Training) -> None:
    if newest.status == "processing":
        started = formats.moment(newest.started_at, zone())
        st.info(f"Treinando a versão {newest.version} desde {started}.", icon=":material/model_training:")
    elif newest.status == "error":
        st.warning(f"O último treino não terminou: {newest.reason}", icon=":material/warning:")


def headline(card: Card) -> None:
    gain = formats.number(100 * (card.accuracy - card.baseline), 1)
    figures = [
        Tile(
            "Acerto servido",
            formats.percent(card.accuracy),
            "O de quem responde às predições, ao ser treinado",
        ),
        Tile(
            "Linha de base",
            formats.percent(card.baseline),
            f"Responder sempre a avaliação mais comum, {stars(card.baseline_rating)}",
        ),
        Tile("Ganho", f"{gain}\u00a0p.p.", "Pontos percentuais acima da linha de base"),
    ]
    if not card.candidates.empty:
        best = card.candidates.nlargest(1, "acuracia").iloc[0]
        name = CANDIDATES.get(best["nome"], best["nome"])
        about = f"{name}, ± {formats.percent(best['desvio'])} entre as partes da validação"
        figures.append(Tile("Melhor candidato", formats.percent(best["acuracia"]), about))
    figures += [
        Tile("Versão do modelo", formats.number(card.version), f"Do catálogo {card.catalogue_version}"),
        Tile("Livros no treino", formats.number(card.books)),
    ]
    tiles(figures)
    libraries = ", ".join(f"{name} {version}" for name, version in card.libraries.items())
    st.caption(
        f"Treinado em {formats.moment(card.trained_at, zone())} "
        f"({formats.ago(card.trained_at, datetime.now(UTC))}) com {libraries}."
    )


def candidates(card: Card) -> None:
    st.subheader("Candidatos ao lado da linha de base", divider="gray")
    if card.candidates.empty:
        st.caption("O treino não comparou candidatos.")
        return
    frame = card.candidates.rename(
        columns={"nome": "Candidato", "acuracia": "Acerto", "desvio": "Desvio", "promovido": "Promovido"}
    )
    frame["Candidato"] = [CANDIDATES.get(name, name) for name in frame["Candidato"]]
    base = {
        "Candidato": "Linha de base",
        "Acerto": card.baseline,
        "Desvio": card.baseline_spread,
        "Promovido": False,
    }
    most = min(1.0, 1.1 * float((frame["Acerto"] + frame["Desvio"]).max()))
    for column, (feature_set, rows) in zip(
        st.columns(2), frame.groupby("conjunto", sort=False), strict=False
    ):
        words = FEATURE_SETS.get(str(feature_set), str(feature_set))
        with column:
            st.markdown(f"**{words}**")
            beside = pd.concat([rows, pd.DataFrame([base])], ignore_index=True)
            model_charts.candidates(
                beside,
                card.baseline,
                most,
                f"Acerto e desvio de cada candidato. {words}, ao lado da linha de base",
            )
    st.caption(
        f"O ponto é o acerto médio, a barra um desvio-padrão para cada lado, a linha tracejada a linha de base "
        f"({formats.percent(card.baseline)}). Em verde, o que a supera além do que o acaso explica."
    )
    table = frame.assign(
        Conjunto=frame["conjunto"].replace(SETS),
        Promovido=["Sim" if promoted else "Não" for promoted in frame["Promovido"]],
        **{title: 100 * frame[name] for title, name in _PERCENT.items()},
    ).rename(columns={"valor_p": "Valor p"})
    show_table(
        table[["Candidato", "Conjunto", *_PERCENT, "Valor p", "Promovido"]],
        decimals={**dict.fromkeys(_PERCENT, 1), "Valor p": 3},
    )
    st.markdown("**Livros de cada avaliação no treino**")
    books = pd.DataFrame(
        {"Avaliação": [stars(rating) for rating in card.by_rating], "Livros": card.by_rating.values()}
    )
    charts.columns(books, "Avaliação", "Livros", alternative="Quantos livros do treino têm cada avaliação")


def use(figures: Source) -> None:
    st.subheader("Em uso", divider="gray")
    left, right = st.columns(2)
    with left:
        st.markdown("**Desvio das entradas em relação ao treino**")
        drift(figures)
    with right:
        st.markdown(f"**Predições por avaliação** {figures.span}")
        predictions = figures.total("livraria_predictions_total", ("rating",))
        predictions = predictions[predictions["rating"].isin(RATINGS)].sort_values("rating")
        shown = pd.DataFrame(
            {
                "Avaliação": [stars(int(rating)) for rating in predictions["rating"]],
                "Predições": predictions["value"].round().to_numpy(),
            }
        )
        if shown["Predições"].sum() > 0:
            charts.columns(shown, "Avaliação", "Predições", alternative="Quantas predições de cada avaliação")
        else:
            st.caption("Nenhuma predição.")
    far_out = figures.total("livraria_prediction_inputs_far_out_total", ("feature",))
    told = [
        f"{FEATURES.get(feature, feature)} {formats.number(count)}"
        for feature, count in zip(far_out["feature"], far_out["value"], strict=True)
    ]
    if told:
        st.caption(f"Entradas muito fora dos dados de treino {figures.span}: {' · '.join(told)}.")


def drift(figures: Source) -> None:
    frame = figures.level("livraria_prediction_drift_psi", ("feature",)).dropna()
    if frame.empty:
        st.caption("Ainda não há o que mostrar.")
        return
    named = pd.DataFrame(
        {"Atributo": [FEATURES.get(name, name) for name in frame["feature"]], "Índice": frame["value"]}
    )
    model_charts.drift(named, "O índice PSI de cada atributo ao lado do limite")
    limit = formats.number(DRIFTED, 2)
    over = named[named["Índice"] > DRIFTED]["Atributo"].tolist()
    if over:
        st.warning(
            f"O que se pergunta já não se parece com o treino: {', '.join(over)}.", icon=":material/warning:"
        )
    st.caption(f"Acima de {limit} (tracejado) mudou. É 0 até as primeiras 200 entradas de cada versão.")


show_page("Modelo", body)
