"""Histórico: a book's price and stock over time, and the latest changes of the catalogue."""

from datetime import datetime

import pandas as pd
import streamlit as st

from dashboards import formats
from dashboards.client.catalogue import fetch_categories, fetch_health
from dashboards.client.connect import api_client
from dashboards.client.history import MAX_FOUND, fetch_changes, fetch_history, find_books
from dashboards.client.http_client import HttpClient
from dashboards.components.history_charts import describe_value, show_course
from dashboards.components.labels import BOOK_CHANGES
from dashboards.components.page_layout import reader_timezone, reporting_errors, show_page
from dashboards.components.tables import show_table

MIN_INTERVAL_S = 30
LIMIT = 100
ALL_KINDS, ALL_CATEGORIES = "Todas as mudanças", "Todas as categorias"


def body() -> None:
    client = api_client()
    with reporting_errors():
        st.subheader("Um livro ao longo do tempo", divider="gray")
        show_book(client)
    with reporting_errors():
        st.subheader("As últimas mudanças", divider="gray")
        show_changes(client)


def show_book(client: HttpClient) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        text = st.text_input(
            "Título ou id", width=320, key="livro", placeholder="A Light in the Attic"
        ).strip()
        if not text:
            st.caption("Digite parte de um título, ou o id de um livro, também de um que já saiu da loja.")
            return
        if text.isascii() and text.isdigit():
            titles = {int(text[:10]): f"Livro {int(text[:10])}"}
        else:
            titles = find_books(client, text)
        if not titles:
            st.caption("Nenhum livro à venda tem esse título: tente uma parte dele, ou o id.")
            return
        book_id = st.selectbox(
            f"Livro (até {MAX_FOUND})" if len(titles) == MAX_FOUND else "Livro",
            list(titles),
            format_func=lambda book_id: f"{book_id} · {titles.get(book_id, '')}",
            key="livro_escolhido",
        )
    if book_id is None:
        return
    observations = fetch_history(client, book_id)
    if observations is None:
        st.caption(f"Nenhum livro teve o id {book_id}.")
    else:
        show_observations(observations, fetch_health(client).published_at)


def show_observations(observations: pd.DataFrame, until: datetime | None) -> None:
    if observations.empty:
        st.caption("Nada guardado deste livro: a próxima publicação em que ele mude aparece aqui.")
        return
    zone = reader_timezone()
    newest = observations.iloc[-1]
    state = (
        f"Desde {formats.date_time(newest['observado_em'].to_pydatetime(), zone)}: "
        f"{formats.pounds(newest['preco_com_taxa'])}, "
        f"{formats.counted(newest['disponibilidade'], 'exemplar', 'exemplares')}."
        if newest["listado"]
        else f"Fora da loja desde {formats.date_time(newest['observado_em'].to_pydatetime(), zone)}."
    )
    st.caption(
        f"{state} Cada ponto é uma publicação que achou algo diferente; a linha acaba na última publicação, e falta "
        "enquanto o livro não estava à venda. O estoque é o publicado, sem as vendas desde então."
    )
    if not observations["listado"].any():
        return
    first_column, second_column = st.columns(2)
    with first_column:
        st.markdown("**Preço com taxa**")
        show_course(
            observations,
            "preco_com_taxa",
            "Preço (£)",
            until=until,
            number_format="$,.2f",
            format_value=formats.pounds,
            alt_text="O preço do livro ao longo das publicações",
        )
    with second_column:
        st.markdown("**Estoque publicado**")
        show_course(
            observations,
            "disponibilidade",
            "Exemplares",
            until=until,
            number_format=",.0f",
            format_value=formats.number,
            alt_text="Os exemplares do livro ao longo das publicações",
        )


def show_changes(client: HttpClient) -> None:
    names = sorted(fetch_categories(client)["categoria"])
    with st.container(horizontal=True, vertical_alignment="bottom"):
        kind = st.selectbox(
            "Mudança",
            [ALL_KINDS, *BOOK_CHANGES],
            format_func=lambda kind: BOOK_CHANGES.get(kind, kind),
            width=220,
            key="tipo",
        )
        category = st.selectbox("Categoria", [ALL_CATEGORIES, *names], width=260, key="categoria_mudanca")
    query: dict[str, str | int] = {"limit": LIMIT}
    if kind not in (ALL_KINDS, None):
        query["tipo"] = kind
    if category not in (ALL_CATEGORIES, None):
        query["categoria"] = category
    changes, has_more = fetch_changes(client, query)
    if changes.empty:
        st.caption(
            "Nenhuma das mudanças mais novas passa por estes filtros: alargue-os."
            if has_more or len(query) > 1
            else "Nenhuma mudança ainda: aparecem quando um scraping publica um catálogo diferente. Dispare um com "
            "`POST /api/v1/scraping/trigger`."
        )
        return
    values = {
        title: [
            describe_value(kind, value) for kind, value in zip(changes["tipo"], changes[side], strict=True)
        ]
        for title, side in (("Antes", "antes"), ("Depois", "depois"))
    }
    show_table(
        pd.DataFrame(
            {
                "Quando": changes["observado_em"],
                "Título": changes["titulo"],
                "Mudança": [BOOK_CHANGES.get(kind, kind) for kind in changes["tipo"]],
                **values,
                "Categoria": changes["categoria"],
                "Id": changes["id"],
                "Versão": changes["versao"],
            }
        ),
        decimals={"Id": 0, "Versão": 0},
        max_rows=15,
    )
    if has_more:
        st.caption(f"Há mais mudanças do que estas {formats.number(len(changes))}: estreite os filtros.")


show_page("Histórico", body, min_interval_s=MIN_INTERVAL_S)
