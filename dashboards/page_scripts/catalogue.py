"""Catálogo: the books by rating, price and category."""

import pandas as pd
import streamlit as st

from dashboards import formats
from dashboards.client.catalogue import fetch_books, fetch_categories, fetch_overview
from dashboards.client.connect import api_client
from dashboards.components import charts
from dashboards.components.book_search import show_search
from dashboards.components.labels import stars
from dashboards.components.page_layout import Tile, reporting_errors, show_page, show_tiles
from dashboards.components.tables import show_table

MIN_INTERVAL_S = 30
ALL = "Todas as categorias"


def body() -> None:
    with reporting_errors():
        client = api_client()
        overview, categories, books = fetch_overview(client), fetch_categories(client), fetch_books(client)
        show_tiles(
            [
                Tile("Livros", formats.number(overview.books)),
                Tile("Categorias", formats.number(len(categories))),
                Tile("Preço médio", formats.pounds(overview.mean_price), "Com taxa"),
                Tile("Exemplares", formats.number(books["disponibilidade"].sum()), "À venda agora"),
                Tile("Avaliação média", formats.number(mean_rating(overview.by_rating), 2), "De 1 a 5"),
            ]
        )
        with reporting_errors():
            show_search(client)
        show_ratings_and_prices(books)
        show_categories(categories)


def mean_rating(by_rating: dict[int, int]) -> float | None:
    books = sum(by_rating.values())
    return sum(rating * count for rating, count in by_rating.items()) / books if books else None


def show_ratings_and_prices(books: pd.DataFrame) -> None:
    st.subheader("Avaliações e preços", divider="gray")
    category = st.selectbox("Categoria", [ALL, *sorted(books["categoria"].unique())], key="categoria")
    if category not in (ALL, None):
        books = books[books["categoria"] == category]
    first_column, second_column = st.columns(2)
    with first_column:
        st.markdown("**Avaliações**")
        counts = books["rating"].value_counts().reindex(range(1, 6), fill_value=0)
        charts.show_bars(
            pd.DataFrame({"Avaliação": counts.index.map(stars), "Livros": counts.to_numpy()}),
            "Avaliação",
            "Livros",
            upright=True,
            alt_text="Quantos livros têm cada avaliação",
        )
    with second_column:
        st.markdown("**Preços**")
        charts.show_histogram(
            pd.DataFrame(books[["preco_com_taxa"]]),
            "preco_com_taxa",
            "Preço com taxa (£)",
            "Livros",
            number_format="$,.0f",
            alt_text="Quantos livros custam quanto",
        )


def show_categories(categories: pd.DataFrame) -> None:
    st.subheader("Por categoria", divider="gray")
    table = categories.sort_values("quantidade_livros", ascending=False).rename(
        columns={
            "categoria": "Categoria",
            "quantidade_livros": "Livros",
            "preco_medio_com_taxa": "Com taxa (£)",
            "preco_medio_sem_taxa": "Sem taxa (£)",
        }
    )
    first_column, second_column = st.columns(2)
    with first_column:
        st.markdown("**As 20 maiores**")
        charts.show_bars(
            table.head(20), "Categoria", "Livros", alt_text="Livros em cada uma das 20 maiores categorias"
        )
    with second_column:
        st.markdown("**Todas, com o preço médio**")
        show_table(table, decimals={"Livros": 0, "Com taxa (£)": 2, "Sem taxa (£)": 2}, max_rows=17)


show_page("Catálogo", body, min_interval_s=MIN_INTERVAL_S)
