"""What the model found in the texts of the books, beside what chance and habit give."""

import pandas as pd
import streamlit as st

from dashboards import formats
from dashboards.client.text_model import CategoriesScore, TextCard
from dashboards.components import model_charts
from dashboards.components.labels import CANDIDATES
from dashboards.components.page_layout import Tile, show_tiles


def show_text_model(card: TextCard | None) -> None:
    st.subheader("Livros parecidos e categorias propostas", divider="gray")
    if card is None:
        st.caption("O modelo é de uma versão que não lia os textos dos livros; o próximo treino os lê.")
        return
    if card.problem:
        st.error(
            f"**Não se mostram parecidos nem propostas**: {card.problem} Um treino os refaz.",
            icon=":material/gpp_bad:",
        )
    st.markdown(card.likeness.sentence)
    st.markdown(card.categories.sentence)
    show_tiles(_tiles(card))
    if not card.categories.candidates.empty:
        _show_candidates(card.categories)


def _tiles(card: TextCard) -> list[Tile]:
    likeness, categories = card.likeness, card.categories
    tiles = [
        Tile(
            "Parecidos da mesma categoria",
            formats.percent(likeness.share),
            f"Dos {likeness.places} primeiros de cada livro. Têm algum parecido "
            f"{formats.number(likeness.with_neighbours)} livros.",
        ),
        Tile(
            "O mesmo por acaso",
            formats.percent(likeness.chance),
            "Com as categorias sorteadas entre os livros",
        ),
        Tile(
            "Livros com proposta",
            f"{formats.number(categories.proposals)} de {formats.number(categories.unspecified)}",
            "Dos que estão em Default ou Add a comment, os que ganharam uma categoria",
        ),
    ]
    if categories.precision is not None and categories.coverage is not None:
        tiles.append(
            Tile(
                "Propostas certas",
                formats.percent(categories.precision),
                f"Em livros separados para teste, com proposta para {formats.percent(categories.coverage)} deles",
            )
        )
    if not categories.candidates.empty:
        names = categories.candidates["nome"]
        chosen = categories.candidates[names == (categories.chosen or names.iloc[0])].iloc[0]
        tiles += [
            Tile(
                "Categorias acertadas",
                formats.percent(chosen["acuracia"]),
                f"Ao propor para todo livro; {formats.percent(chosen['acuracia_em_palpites'])} em "
                f"{categories.guesses} palpites",
            ),
            Tile(
                "A categoria mais comum",
                formats.percent(categories.baseline),
                f"O acerto de responder sempre {categories.baseline_category}",
            ),
        ]
    return tiles


def _show_candidates(categories: CategoriesScore) -> None:
    candidates = categories.candidates.rename(
        columns={"nome": "Candidato", "acuracia": "Acerto", "desvio": "Desvio", "promovido": "Promovido"}
    )
    candidates["Candidato"] = [CANDIDATES.get(name, name) for name in candidates["Candidato"]]
    baseline = pd.DataFrame(
        [("Linha de base", categories.baseline, 0.0, False)],
        columns=["Candidato", "Acerto", "Desvio", "Promovido"],
    )
    st.markdown("**Categoria acertada em livros separados para teste**")
    model_charts.show_candidates(
        pd.concat([candidates, baseline], ignore_index=True),
        categories.baseline,
        min(1.0, 1.1 * float((candidates["Acerto"] + candidates["Desvio"]).max())),
        "Acerto e desvio de cada candidato a propor categorias, ao lado da categoria mais comum",
    )
