"""Modelo: the model's accuracy beside the baseline, what it found in texts, its inputs' drift, and a form."""

from datetime import UTC, datetime

import pandas as pd
import streamlit as st

from dashboards import formats
from dashboards.client.connect import api_client
from dashboards.client.http_client import HttpClient
from dashboards.client.model import (
    BEATS_BASELINE,
    DRIFT_LIMIT,
    ModelCard,
    Training,
    fetch_card,
    fetch_training,
)
from dashboards.components import charts, metric_panels, model_charts, prediction_form, text_model
from dashboards.components.labels import CANDIDATES, FEATURE_SETS, FEATURES, SHORT_FEATURE_SETS, stars
from dashboards.components.page_layout import Tile, reader_timezone, reporting_errors, show_page, show_tiles
from dashboards.components.tables import show_table
from dashboards.metrics.selection import current_source
from dashboards.metrics.source import Source

RATINGS = ("1", "2", "3", "4", "5")
_PERCENT_COLUMNS = {"Acerto (%)": "Acerto", "Desvio (p.p.)": "Desvio", "Ganho (p.p.)": "ganho"}


def body() -> None:
    with reporting_errors():
        show_model(api_client())
    with reporting_errors():
        source = current_source()
        metric_panels.warn_if_api_is_down(source)
        show_usage(source)
    with reporting_errors():
        prediction_form.show_form(api_client())


def show_model(client: HttpClient) -> None:
    card, training = fetch_card(client), fetch_training(client)
    if card is None:
        st.info(
            "**Ainda não há modelo treinado**: as predições respondem a avaliação mais comum do catálogo. O treino "
            "começa com a publicação de um catálogo, ou com `POST /api/v1/ml/train`.",
            icon=":material/hourglass_empty:",
        )
        show_training(training)
        return
    show_verdict(card)
    show_training(training)
    show_headline(card)
    show_comparison(card)
    text_model.show_text_model(card.texts)


def show_comparison(card: ModelCard) -> None:
    st.subheader("Candidatos ao lado da linha de base", divider="gray")
    if card.candidates.empty:
        st.caption("O treino não comparou candidatos.")
        return
    show_candidates(card)
    st.markdown("**Livros de cada avaliação no treino**")
    charts.show_bars(
        pd.DataFrame({"Avaliação": list(map(stars, card.by_rating)), "Livros": card.by_rating.values()}),
        "Avaliação",
        "Livros",
        upright=True,
        alt_text="Quantos livros do treino têm cada avaliação",
    )


def show_verdict(card: ModelCard) -> None:
    if card.problem:
        st.error(
            f"**A versão {card.version} não está em uso**: {card.problem} Responde a avaliação mais comum do catálogo.",
            icon=":material/gpp_bad:",
        )
    if card.verdict == BEATS_BASELINE:
        st.success(f"**{card.sentence}**", icon=":material/trending_up:")
    else:
        st.info(f"**{card.sentence}**", icon=":material/balance:")


def show_training(training: Training) -> None:
    if training.status == "processing":
        started = formats.date_time(training.started_at, reader_timezone())
        st.info(f"Treinando a versão {training.version} desde {started}.", icon=":material/model_training:")
    elif training.status == "error":
        st.warning(f"O último treino não terminou: {training.reason}", icon=":material/warning:")


def show_headline(card: ModelCard) -> None:
    gain = formats.number(100 * (card.accuracy - card.baseline), 1)
    always = f"Responder sempre a avaliação mais comum, {stars(card.baseline_rating)}"
    tiles = [
        Tile(
            "Acerto servido",
            formats.percent(card.accuracy),
            "O de quem responde às predições, ao ser treinado",
        ),
        Tile("Linha de base", formats.percent(card.baseline), always),
        Tile("Ganho", f"{gain}\u00a0p.p.", "Pontos percentuais acima da linha de base"),
    ]
    if not card.candidates.empty:
        best = card.candidates.nlargest(1, "acuracia").iloc[0]
        name = CANDIDATES.get(best["nome"], best["nome"])
        about = f"{name}, ± {formats.percent(best['desvio'])} entre as partes da validação"
        tiles.append(Tile("Melhor candidato", formats.percent(best["acuracia"]), about))
    tiles += [
        Tile("Versão do modelo", formats.number(card.version), f"Do catálogo {card.catalogue_version}"),
        Tile("Livros no treino", formats.number(card.books)),
    ]
    show_tiles(tiles)
    libraries = ", ".join(f"{name} {version}" for name, version in card.libraries.items())
    st.caption(
        f"Treinado em {formats.date_time(card.trained_at, reader_timezone())} "
        f"({formats.ago(card.trained_at, datetime.now(UTC))}) com {libraries}."
    )


def show_candidates(card: ModelCard) -> None:
    candidates = card.candidates.rename(
        columns={"nome": "Candidato", "acuracia": "Acerto", "desvio": "Desvio", "promovido": "Promovido"}
    )
    candidates["Candidato"] = [CANDIDATES.get(name, name) for name in candidates["Candidato"]]
    show_candidate_charts(candidates, card)
    st.caption(
        f"O ponto é o acerto médio, a barra um desvio-padrão para cada lado, a linha tracejada a linha de base "
        f"({formats.percent(card.baseline)}). Em verde, o que a supera além do que o acaso explica."
    )
    table = candidates.assign(
        Conjunto=candidates["conjunto"].replace(SHORT_FEATURE_SETS),
        Promovido=["Sim" if promoted else "Não" for promoted in candidates["Promovido"]],
        **{title: 100 * candidates[name] for title, name in _PERCENT_COLUMNS.items()},
    ).rename(columns={"valor_p": "Valor p"})
    show_table(
        table[["Candidato", "Conjunto", *_PERCENT_COLUMNS, "Valor p", "Promovido"]],
        decimals={**dict.fromkeys(_PERCENT_COLUMNS, 1), "Valor p": 3},
    )


def show_candidate_charts(candidates: pd.DataFrame, card: ModelCard) -> None:
    """Draw a chart for each feature set, side by side, on axes of equal length."""
    baseline = pd.DataFrame(
        [("Linha de base", card.baseline, card.baseline_spread, False)],
        columns=["Candidato", "Acerto", "Desvio", "Promovido"],
    )
    axis_end = min(1.0, 1.1 * float((candidates["Acerto"] + candidates["Desvio"]).max()))
    groups = candidates.groupby("conjunto", sort=False)
    for column, (feature_set, rows) in zip(st.columns(2), groups, strict=False):
        title = FEATURE_SETS.get(str(feature_set), str(feature_set))
        with column:
            st.markdown(f"**{title}**")
            model_charts.show_candidates(
                pd.concat([rows, baseline], ignore_index=True),
                card.baseline,
                axis_end,
                f"Acerto e desvio de cada candidato. {title}, ao lado da linha de base",
            )


def show_usage(source: Source) -> None:
    st.subheader("Em uso", divider="gray")
    first_column, second_column = st.columns(2)
    with first_column:
        st.markdown("**Desvio das entradas em relação ao treino**")
        show_drift(source)
    with second_column:
        st.markdown(f"**Predições por avaliação** {source.span}")
        show_predictions(source)
    totals = source.total("livraria_prediction_inputs_far_out_total", ("feature",))
    counts = [
        f"{FEATURES.get(feature, feature)} {formats.number(count)}"
        for feature, count in zip(totals["feature"], totals["value"], strict=True)
    ]
    if counts:
        st.caption(f"Entradas muito fora dos dados de treino {source.span}: {' · '.join(counts)}.")


def show_drift(source: Source) -> None:
    levels = source.level("livraria_prediction_drift_psi", ("feature",)).dropna()
    if charts.note_empty(levels):
        return
    drift = pd.DataFrame(
        {"Atributo": [FEATURES.get(name, name) for name in levels["feature"]], "Índice": levels["value"]}
    )
    model_charts.show_drift(drift, "O índice PSI de cada atributo ao lado do limite")
    drifted = drift[drift["Índice"] > DRIFT_LIMIT]["Atributo"].tolist()
    if drifted:
        st.warning(
            f"O que se pergunta já não se parece com o treino: {', '.join(drifted)}.",
            icon=":material/warning:",
        )
    limit = formats.number(DRIFT_LIMIT, 2)
    st.caption(f"Acima de {limit} (tracejado) mudou. É 0 até as primeiras 200 entradas de cada versão.")


def show_predictions(source: Source) -> None:
    totals = source.total("livraria_predictions_total", ("rating",))
    totals = totals[totals["rating"].isin(RATINGS)].sort_values("rating")
    if not totals["value"].round().sum() > 0:
        st.caption("Nenhuma predição.")
        return
    ratings = [stars(int(rating)) for rating in totals["rating"]]
    charts.show_bars(
        pd.DataFrame({"Avaliação": ratings, "Predições": totals["value"].round().to_numpy()}),
        "Avaliação",
        "Predições",
        upright=True,
        alt_text="Quantas predições de cada avaliação",
    )


show_page("Modelo", body)
