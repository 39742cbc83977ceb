"""Catálogo: what the shop has."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from dashboards import formats
from dashboards.components import charts
from dashboards.components.page_layout import Tile, show_page, telling, tiles
from dashboards.components.tables import show_table
from dashboards.connections import api

EVERY_S = 30
ALL = "Todas as categorias"


def body() -> None:
    with telling():
        overview, categories, books = api().overview(), api().categories(), api().books()
        tiles(
            [
                Tile("Livros", formats.number(overview.books)),
                Tile("Categorias", formats.number(len(categories))),
                Tile("Preço médio", formats.pounds(overview.mean_price), "Com taxa"),
                Tile("Exemplares", formats.number(books["disponibilidade"].sum()), "À venda agora"),
                Tile("Avaliação média", formats.number(mean_rating(overview.by_rating), 2), "De 1 a 5"),
            ]
        )
        prices(books)
        by_category(categories)


def mean_rating(by_rating: dict[int, int]) -> float | None:
    books = sum(by_rating.values())
    return sum(rating * count for rating, count in by_rating.items()) / books if books else None


def prices(books: pd.DataFrame) -> None:
    choice = st.selectbox("Categoria", [ALL, *sorted(books["categoria"].unique())], key="categoria")
    shown = books if choice in (ALL, None) else books[books["categoria"] == choice]
    left, right = st.columns(2)
    with left:
        st.markdown("**Avaliações**")
        counts = shown["rating"].value_counts().reindex(range(1, 6), fill_value=0)
        charts.columns(
            pd.DataFrame(
                {"Avaliação": ["★" * rating for rating in counts.index], "Livros": counts.to_numpy()}
            ),
            "Avaliação",
            "Livros",
            alternative="Quantos livros têm cada avaliação",
        )
    with right:
        st.markdown("**Preços**")
        charts.histogram(
            pd.DataFrame(shown[["preco_com_taxa"]]),
            "preco_com_taxa",
            "Preço com taxa (£)",
            "Livros",
            number="$,.0f",
            alternative="Quantos livros custam quanto",
        )


def by_category(categories: pd.DataFrame) -> None:
    st.subheader("Por categoria", divider="gray")
    table = categories.sort_values("quantidade_livros", ascending=False).rename(
        columns={
            "categoria": "Categoria",
            "quantidade_livros": "Livros",
            "preco_medio_com_taxa": "Com taxa (£)",
            "preco_medio_sem_taxa": "Sem taxa (£)",
        }
    )
    left, right = st.columns(2)
    with left:
        st.markdown("**As 20 maiores**")
        charts.bars(
            table.head(20), "Categoria", "Livros", alternative="Livros em cada uma das 20 maiores categorias"
        )
    with right:
        st.markdown("**Todas, com o preço médio**")
        show_table(
            table,
            decimals={"Livros": 0, "Com taxa (£)": 2, "Sem taxa (£)": 2},
            most_rows=17,
        )


show_page("Catálogo", body, at_least_every_s=EVERY_S)
