"""The page Histórico without a browser."""

from __future__ import annotations

from datetime import UTC, datetime

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from dashboards.client.history import fetch_history
from dashboards.client.http_client import HttpClient
from dashboards.components.history_charts import course, describe_value
from tests.support.dashboards.fake_api import CHANGE, OBSERVATIONS, FakeApi
from tests.support.dashboards.pages import error_messages, open_page, page_text

CHANGES, SEARCH = "/api/v1/changes", "/api/v1/books/search"
PUBLISHED = datetime(2026, 11, 22, 14, 3, 7, tzinfo=UTC)


def look_up(text: str) -> AppTest:
    app = open_page("history")
    return app.text_input(key="livro").set_value(text).run()


def test_the_page_says_what_to_type_before_a_book_is_chosen(shop: FakeApi) -> None:
    app = open_page("history")
    assert "Digite parte de um título" in page_text(app)
    assert SEARCH not in shop.queries


def test_a_title_finds_books_of_which_one_is_drawn(shop: FakeApi) -> None:
    app = look_up(" livro ")
    assert shop.queries[SEARCH][-1] == {"titulo": "livro", "per_page": "20"}
    assert app.selectbox(key="livro_escolhido").options == ["0 · Livro 0", "1 · Livro 1"]
    text = page_text(app)
    assert "£ 53,74, 3 exemplares." in text
    assert "Preço com taxa" in text
    assert error_messages(app) == []


def test_a_book_that_left_the_shop_is_found_by_its_id(shop: FakeApi) -> None:
    shop.responses["/api/v1/books/3/history"] = shop.as_json(OBSERVATIONS[:3])
    app = look_up("3")
    assert SEARCH not in shop.queries
    assert "Fora da loja desde 14/11/2026 14:03:07" in page_text(app)


@pytest.mark.parametrize(
    ("text", "told"),
    [("nada", "Nenhum livro à venda tem esse título"), ("99", "Nenhum livro teve o id 99.")],
)
def test_a_book_that_is_not_there_is_no_error(shop: FakeApi, text: str, told: str) -> None:
    shop.responses[SEARCH] = shop.as_json([])
    app = look_up(text)
    assert told in page_text(app)
    assert error_messages(app) == []


def test_nothing_is_drawn_for_the_time_out_of_the_shop_and_after_the_last_publication(
    shop: FakeApi,
) -> None:
    observations = fetch_history(HttpClient("A API", shop.url), 3)
    assert observations is not None
    points = course(observations, "preco_com_taxa", PUBLISHED)
    assert points.to_numpy().tolist() == [
        [pd.Timestamp(f"2026-11-{day}T14:03:07Z"), value, observed, stretch]
        for day, value, observed, stretch in (
            (10, 51.77, True, 0),
            (12, 49.0, True, 0),
            (14, 49.0, False, 0),
            (18, 53.74, True, 1),
            (22, 53.74, False, 1),
        )
    ]


def test_a_book_that_left_and_was_looked_for_again_draws_only_its_time_on_sale() -> None:
    gone = pd.DataFrame(OBSERVATIONS[1:3] * 2).assign(
        observado_em=pd.to_datetime([f"2026-11-0{day}T00:00:00Z" for day in range(1, 5)])
    )
    assert course(gone, "disponibilidade", PUBLISHED)["time"].dt.day.tolist() == [1, 2, 3, 4]
    assert course(gone.iloc[1:2], "disponibilidade", PUBLISHED).empty


def test_the_latest_changes_are_in_the_readers_words(shop: FakeApi) -> None:
    edit = {**CHANGE, "tipo": "texto", "antes": {"titulo": "Velho"}, "depois": {"titulo": "Novo"}}
    new = {**CHANGE, "tipo": "adicionado", "antes": None}
    copies = {**CHANGE, "tipo": "estoque", "antes": 3, "depois": 1_200}
    shop.responses[CHANGES] = shop.as_json([CHANGE, edit, new, copies])
    table = open_page("history").dataframe[0].value
    assert [tuple(row) for row in table[["Mudança", "Antes", "Depois"]].to_numpy()] == [
        ("Outro preço", "£\u00a051,77", "£\u00a01.049,90"),
        ("Texto editado", "título: Velho", "título: Novo"),
        ("Novo", "–", "£\u00a01.049,90"),
        ("Outro estoque", "3", "1.200"),
    ]


def test_the_filters_are_the_routes_own_parameters(shop: FakeApi) -> None:
    app = open_page("history")
    app.selectbox(key="tipo").set_value("estoque")
    app.selectbox(key="categoria_mudanca").set_value("Poetry").run()
    assert shop.queries[CHANGES][-1] == {"limit": "100", "tipo": "estoque", "categoria": "Poetry"}


def test_a_shop_without_changes_says_how_they_come_and_a_filter_that_passes_none_what_to_do(
    shop: FakeApi,
) -> None:
    shop.responses[CHANGES] = shop.as_json([])
    app = open_page("history")
    assert "POST /api/v1/scraping/trigger" in page_text(app)
    app.selectbox(key="tipo").set_value("removido").run()
    assert "alargue-os" in page_text(app)


def test_values_of_a_kind_that_this_dashboard_does_not_know_are_shown() -> None:
    assert describe_value("novidade", {"assunto": "x"}) == "assunto: x"
