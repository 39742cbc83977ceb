"""Every page without a browser: with a working, a broken and an unreachable API."""

from __future__ import annotations

import pytest

from tests.dashboards.conftest import clear_caches
from tests.support.dashboards.fake_api import (
    BOOKS,
    HEALTH,
    PROGRESS,
    RUN,
    SCHEDULE,
    UNREACHABLE_URL,
    FakeApi,
    Response,
)
from tests.support.dashboards.pages import TITLES, error_messages, open_page, page_text, tile_values

SEARCH = "/api/v1/books/search"
STATUS, RUNS = "/api/v1/scraping/status", "/api/v1/scraping/runs"
SCHEDULE_PATH = "/api/v1/scraping/schedule"
PATHS = {
    "overview": ("/health", "/metrics", STATUS, RUNS, "/api/v1/ml/model"),
    "metrics": ("/metrics",),
    "logs": ("/api/v1/logs",),
    "orders": ("/metrics", "/api/v1/books"),
    "catalogue": ("/api/v1/stats/overview", "/api/v1/stats/categories", "/api/v1/books"),
    "history": ("/api/v1/changes", "/api/v1/stats/categories"),
    "model": ("/api/v1/ml/model", "/api/v1/ml/status", "/metrics"),
    "scraping": (STATUS, SCHEDULE_PATH, RUNS),
}
"""The API's paths that each page reads."""
UNREACHABLE = f"A API não responde em {UNREACHABLE_URL}."
every_page = pytest.mark.parametrize("page", TITLES)


@every_page
def test_a_page_shows_the_apis_responses_without_an_error(shop: FakeApi, page: str) -> None:
    assert error_messages(open_page(page)) == []


@every_page
def test_a_page_says_once_that_the_api_is_down(dashboard_env: pytest.MonkeyPatch, page: str) -> None:
    assert error_messages(open_page(page)) == [UNREACHABLE]


@pytest.mark.parametrize(
    "body",
    ["", "<html>Entrar</html>", "null", "[]", "{}", "7", '[{"id": "x"}]', '{"status": {}}', "[" * 100_000],
    ids=["empty", "html", "null", "array", "object", "number", "wrong types", "wrong object", "deep"],
)
@every_page
def test_a_page_reports_a_malformed_response(shop: FakeApi, page: str, body: str) -> None:
    for path in PATHS[page]:
        shop.responses[path] = (200, body)
    app = open_page(page)
    if body != "[]":
        assert "não entende" in page_text(app)


@every_page
def test_a_page_passes_on_the_apis_own_error(shop: FakeApi, page: str) -> None:
    for path in PATHS[page]:
        shop.responses[path] = shop.as_json({"detail": "O banco de dados não responde."}, 503)
    assert "respondeu 503" in page_text(open_page(page))


def test_the_overview_shows_the_state_of_the_shop(shop: FakeApi) -> None:
    app = open_page("overview")
    tiles = tile_values(app)
    assert tiles["Pedidos"] == "50"
    assert tiles["Taxa de recusa"] == "20,0 %"
    assert tiles["Receita"] == "£ 1.234,50"
    assert tiles["Exemplares"] == "12.345"
    assert (tiles["Estoque baixo"], tiles["Esgotados"]) == ("56", "7")
    text = page_text(app)
    assert "catálogo de demonstração" in text
    assert "1.234 livros · versão 7" in text
    assert "Fonte: /metrics da API" in text
    assert "3 novos, 1 removido, 12 com outro preço" in text


def test_the_overview_names_the_source_of_a_scraped_catalogue(shop: FakeApi) -> None:
    shop.responses["/health"] = shop.as_json(
        {**HEALTH, "origem": "scraping", "fonte": "http://loja.invalid/"}
    )
    text = page_text(open_page("overview"))
    assert "demonstração" not in text
    assert "Catálogo de http://loja.invalid/" in text


def test_the_newest_runs_changes_need_no_token(shop: FakeApi) -> None:
    counts = {**RUN["contagem"], "adicionados": 4}
    shop.responses[STATUS] = shop.as_json({**PROGRESS, "status": "done", "contagem": counts})
    shop.tokens[RUNS] = set()
    overview = page_text(open_page("overview"))
    for text in (page_text(open_page("scraping")), overview):
        assert "O que mudou: 4 novos, 1 removido, 12 com outro preço" in text
    assert "API_TOKEN" not in overview


def test_history_outlives_the_api_and_the_page_says_that_it_is_down(
    fake_api: FakeApi, dashboard_env: pytest.MonkeyPatch, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As Prometheus responds while it can't scrape the shop: only queries of the past have results."""
    series = {"metric": {"status": "200", "endpoint": "/a"}, "value": [1, "7"]}

    def respond(path: str, query: dict[str, str], token: str) -> Response:
        result = [series] if "_over_time(" in query.get("query", "") else []
        return fake_api.as_json({"data": {"result": result}})

    monkeypatch.setattr(fake_api, "respond", respond)
    dashboard_env.setenv("PROMETHEUS_URL", fake_api.url)
    for page in ("overview", "metrics", "orders", "model"):
        app = open_page(page)
        assert error_messages(app) == [UNREACHABLE]
        assert "é o que o Prometheus guardou" in page_text(app)


def test_the_orders_page_lists_the_titles_of_the_lowest_stocks(shop: FakeApi) -> None:
    app = open_page("orders")
    assert "11 exemplares vendidos" in page_text(app)
    assert shop.queries["/api/v1/books"][-1] == {
        "sort": "disponibilidade",
        "order": "asc",
        "page": "1",
        "per_page": "25",
    }
    assert app.dataframe[0].value["Título"].iloc[0] == "Livro 0"


def test_the_catalogue_page_shows_the_apis_counts(shop: FakeApi) -> None:
    tiles = tile_values(open_page("catalogue"))
    assert (tiles["Livros"], tiles["Categorias"], tiles["Preço médio"]) == ("1.234", "3", "£ 35,07")


def test_the_catalogue_page_finds_books_and_counts_them(shop: FakeApi) -> None:
    shop.responses[SEARCH] = shop.as_json(BOOKS[:2])
    page = open_page("catalogue")
    assert SEARCH not in shop.queries
    page.text_input(key="busca").input("livro").run()
    assert shop.queries[SEARCH] == [{"titulo": "livro", "page": "1", "per_page": "20"}]
    tables = [table.value for table in page.dataframe[:4]]
    assert tables[0]["Título"].tolist() == ["Livro 0", "Livro 1"]
    assert tables[1].to_numpy().tolist() == [["Poetry", 1], ["Travel", 1]]
    assert tables[3].to_numpy().tolist() == [["£\u00a010,00 a 14,99", 2]]
    assert "2 livros" in page_text(page)
    assert "aproximados" not in page_text(page)


def test_the_catalogue_page_says_that_books_are_only_near_or_that_there_are_none(shop: FakeApi) -> None:
    shop.search_mode = "aproximada"
    shop.responses[SEARCH] = shop.as_json(BOOKS[:2])
    page = open_page("catalogue")
    page.text_input(key="busca").input("livor").run()
    assert "Nada casa exatamente: resultados aproximados (2 livros)." in page_text(page)
    shop.responses[SEARCH] = shop.as_json([])
    page.text_input(key="busca").input("xyzxyz").run()
    assert "Nenhum livro tem esse título, nem um parecido" in page_text(page)


def test_the_history_of_runs_needs_a_token_and_the_page_says_how_to_give_it(shop: FakeApi) -> None:
    shop.responses[RUNS] = shop.as_json({"detail": "Falta o token."}, 401)
    for page in ("scraping", "overview"):
        text = page_text(open_page(page))
        assert "API_TOKEN" in text
        assert "/api/v1/auth/login" in text


def test_a_shop_that_was_never_scraped_says_so(shop: FakeApi) -> None:
    shop.responses[STATUS] = shop.as_json({"status": "never"})
    shop.responses[RUNS] = shop.as_json([])
    assert "Nenhum scraping foi feito ainda." in page_text(open_page("scraping"))


def test_a_failed_run_shows_its_reason(shop: FakeApi) -> None:
    failed = {**PROGRESS, "status": "error", "motivo": "40 % dos livros sumiram"}
    shop.responses[STATUS] = shop.as_json(failed)
    assert "Motivo: 40 % dos livros sumiram" in page_text(open_page("scraping"))


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({}, "Agenda: `0 3 * * *` (America/Sao_Paulo) · com atraso de até 5 min · próxima: 23/11/2999"),
        ({"proxima_execucao": None, "ativa": False}, "**pausada**"),
        ({"proxima_execucao": "2026-11-22T06:02:10.000Z"}, "a próxima espera desde 22/11/2026"),
        ({"agenda": None, "proxima_execucao": None}, "Não há agenda"),
    ],
)
def test_the_scraping_page_shows_the_schedule(shop: FakeApi, changes: dict[str, object], text: str) -> None:
    shop.responses[SCHEDULE_PATH] = shop.as_json({**SCHEDULE, **changes})
    assert text in page_text(open_page("scraping"))


def test_the_pause_switch_stops_the_clock(shop: FakeApi) -> None:
    app = open_page("scraping")
    assert "a cada 1 h" in page_text(app)
    app.toggle(key="em_pausa").set_value(True).run()
    assert "em pausa" in page_text(app)


def test_metrics_behind_a_token_are_read_with_it(shop: FakeApi, dashboard_env: pytest.MonkeyPatch) -> None:
    shop.tokens["/metrics"] = {"the token of our metrics"}
    assert "Faça login para continuar." in page_text(open_page("metrics"))
    clear_caches()
    dashboard_env.setenv("METRICS_TOKEN", "the token of our metrics")
    assert "Faça login para continuar." not in page_text(open_page("metrics"))


SECRET_URL = UNREACHABLE_URL.replace("//", "//painel:s3/cr@et@")


@pytest.mark.parametrize("name", ["PROMETHEUS_URL", "API_URL"])
def test_a_password_in_an_address_is_never_shown(dashboard_env: pytest.MonkeyPatch, name: str) -> None:
    dashboard_env.setenv(name, SECRET_URL)
    app = open_page("overview")
    told = page_text(app) + "".join(element.value for element in app.sidebar.caption)
    assert UNREACHABLE_URL in told
    assert "s3" not in told
    assert "et@" not in told
