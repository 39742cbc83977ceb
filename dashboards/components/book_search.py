"""A search for books, and how what it found is spread."""

import pandas as pd
import streamlit as st

from dashboards import formats
from dashboards.client.http_client import HttpClient
from dashboards.client.search import MAX_FOUND, Facets, Found, fetch_facets, fetch_search
from dashboards.components.labels import stars
from dashboards.components.tables import show_table

KEY = "busca"


def show_search(client: HttpClient) -> None:
    text = st.text_input(
        "Buscar por título", max_chars=300, key=KEY, placeholder="Parte de um título"
    ).strip()
    if not text:
        return
    found, facets = fetch_search(client, text), fetch_facets(client, text)
    _say_how_many(found)
    if not found.total:
        return
    table = found.books.rename(
        columns={
            "titulo": "Título",
            "categoria": "Categoria",
            "preco_com_taxa": "Com taxa (£)",
            "rating": "Avaliação",
            "disponibilidade": "Exemplares",
        }
    )
    table["Avaliação"] = table["Avaliação"].map(stars)
    show_table(table, decimals={"Com taxa (£)": 2, "Exemplares": 0}, max_rows=10)
    _show_facets(facets)


def _say_how_many(found: Found) -> None:
    if not found.total:
        st.info(
            "Nenhum livro tem esse título, nem um parecido: tente outras palavras.",
            icon=":material/search_off:",
        )
        return
    books = formats.counted(found.total, "livro", "livros")
    shown = f"; os primeiros {MAX_FOUND}" if found.total > MAX_FOUND else ""
    if found.near:
        st.info(
            f"Nada casa exatamente: resultados aproximados ({books}{shown}).", icon=":material/spellcheck:"
        )
    else:
        st.caption(f"{books}{shown}")


def _show_facets(facets: Facets) -> None:
    prices = {
        f"{formats.pounds(low)} a {formats.number(high, 2)}": books
        for (low, high), books in facets.prices.items()
    }
    ratings = {stars(rating): books for rating, books in facets.ratings.items()}
    counted = {"Categoria": facets.categories, "Avaliação": ratings, "Preço": prices}
    for column, (name, counts) in zip(st.columns(len(counted)), counted.items(), strict=True):
        filled = [(value, books) for value, books in counts.items() if books]
        with column:
            show_table(pd.DataFrame(filled, columns=[name, "Livros"]), decimals={"Livros": 0}, max_rows=5)
