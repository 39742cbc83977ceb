"""Every page without a browser: with a hand-written API, with a broken one, and with none."""

from __future__ import annotations

import pytest

from tests.support.dashboards.fake_api import HEALTH, PROGRESS, RUN, FakeApi, log_record
from tests.support.dashboards.pages import TITLES, figures, open_page, words

READS = {
    "overview": (
        "/health",
        "/metrics",
        "/api/v1/scraping/status",
        "/api/v1/scraping/runs",
        "/api/v1/ml/model",
    ),
    "metrics": ("/metrics",),
    "logs": ("/api/v1/logs",),
    "orders": ("/metrics", "/api/v1/books"),
    "catalogue": ("/api/v1/stats/overview", "/api/v1/stats/categories", "/api/v1/books"),
    "model": ("/api/v1/ml/model", "/api/v1/ml/status", "/metrics"),
    "scraping": ("/api/v1/scraping/status", "/api/v1/scraping/runs"),
}
PAGES = pytest.mark.parametrize("page", TITLES)


@pytest.fixture
def shop(fake_api: FakeApi, dashboard_of: pytest.MonkeyPatch) -> FakeApi:
    dashboard_of.setenv("API_URL", fake_api.url)
    return fake_api


@PAGES
def test_a_page_shows_what_the_api_says_without_a_complaint(shop: FakeApi, page: str) -> None:
    assert [error.value for error in open_page(page).error] == []


@PAGES
def test_a_page_says_once_that_the_api_is_down(dashboard_of: pytest.MonkeyPatch, page: str) -> None:
    assert [error.value for error in open_page(page).error] == ["A API não responde em http://127.0.0.1:9."]


@pytest.mark.parametrize(
    "answer",
    ["", "<html>Entrar</html>", "null", "[]", "{}", "7", '[{"id": "x"}]', '{"status": {}}', "[" * 100_000],
    ids=["empty", "html", "null", "array", "object", "number", "wrong types", "wrong object", "deep"],
)
@PAGES
def test_a_page_says_that_an_answer_is_malformed(shop: FakeApi, page: str, answer: str) -> None:
    for path in READS[page]:
        shop.replies[path] = (200, answer)
    app = open_page(page)
    if answer != "[]":
        assert "não entende" in words(app)


@PAGES
def test_a_page_passes_on_what_the_api_says_of_its_own_failure(shop: FakeApi, page: str) -> None:
    for path in READS[page]:
        shop.replies[path] = shop.as_json({"detail": "O banco de dados não responde."}, 503)
    assert "respondeu 503" in words(open_page(page))


def test_the_overview_tells_the_state_of_the_shop(shop: FakeApi) -> None:
    app = open_page("overview")
    shown = figures(app)
    assert shown["Pedidos"] == "50"
    assert shown["Taxa de recusa"] == "20,0 %"
    assert shown["Receita"] == "£ 1.234,50"
    assert shown["Exemplares"] == "12.345"
    assert (shown["Estoque baixo"], shown["Esgotados"]) == ("56", "7")
    text = words(app)
    assert "catálogo de demonstração" in text
    assert "1.234 livros · versão 7" in text
    assert "Fonte: /metrics da API" in text
    assert "3 novos, 1 removidos, 12 com outro preço" in text


def test_the_overview_says_where_a_scraped_catalogue_is_from(shop: FakeApi) -> None:
    shop.replies["/health"] = shop.as_json({**HEALTH, "origem": "scraping", "fonte": "http://loja.invalid/"})
    text = words(open_page("overview"))
    assert "demonstração" not in text
    assert "Catálogo de http://loja.invalid/" in text


def test_the_last_differences_need_no_token(shop: FakeApi) -> None:
    counts = {**RUN["contagem"], "adicionados": 4}  # type: ignore[dict-item]
    done = {**PROGRESS, "status": "done", "contagem": counts}
    shop.replies["/api/v1/scraping/status"] = shop.as_json(done)
    shop.tokens["/api/v1/scraping/runs"] = set()
    for page in ("scraping", "overview"):
        assert "O que mudou: 4 novos, 1 removidos, 12 com outro preço" in words(open_page(page))
    assert "API_TOKEN" not in words(open_page("overview"))


def test_history_outlives_the_api_and_the_page_says_that_it_is_down(
    fake_api: FakeApi, dashboard_of: pytest.MonkeyPatch
) -> None:
    """As Prometheus answers once it could not read the shop: what is asked about now is empty."""
    known = {"metric": {"status": "200", "endpoint": "/a"}, "value": [1, "7"]}

    def reply(path: str, query: dict[str, str], token: str) -> tuple[int, str]:
        found = [known] if "_over_time(" in query.get("query", "") else []
        return fake_api.as_json({"data": {"result": found}})

    fake_api.reply = reply  # type: ignore[method-assign]
    dashboard_of.setenv("PROMETHEUS_URL", fake_api.url)
    for page in ("overview", "metrics", "orders", "model"):
        app = open_page(page)
        assert [error.value for error in app.error] == ["A API não responde em http://127.0.0.1:9."]
        assert "é o que o Prometheus guardou" in words(app)


def test_orders_come_with_the_titles_of_the_lowest_stock(shop: FakeApi) -> None:
    app = open_page("orders")
    assert "11 exemplares vendidos" in words(app)
    assert shop.asked["/api/v1/books"][-1] == {
        "sort": "disponibilidade",
        "order": "asc",
        "page": "1",
        "per_page": "25",
    }
    assert app.dataframe[0].value["Título"].iloc[0] == "Livro 0"


def test_the_catalogue_page_counts_what_the_api_lists(shop: FakeApi) -> None:
    shown = figures(open_page("catalogue"))
    assert (shown["Livros"], shown["Categorias"], shown["Preço médio"]) == ("1.234", "3", "£ 35,07")


def test_the_history_of_runs_needs_a_token_and_the_page_says_how(shop: FakeApi) -> None:
    shop.replies["/api/v1/scraping/runs"] = shop.as_json({"detail": "Falta o token."}, 401)
    for page in ("scraping", "overview"):
        text = words(open_page(page))
        assert "API_TOKEN" in text
        assert "/api/v1/auth/login" in text


def test_a_shop_that_was_never_scraped_says_so(shop: FakeApi) -> None:
    shop.replies["/api/v1/scraping/status"] = shop.as_json({"status": "never"})
    shop.replies["/api/v1/scraping/runs"] = shop.as_json([])
    assert "Nenhum scraping foi feito ainda." in words(open_page("scraping"))


def test_a_failed_run_tells_its_reason(shop: FakeApi) -> None:
    failed = {**PROGRESS, "status": "error", "motivo": "40 % dos livros sumiram"}
    shop.replies["/api/v1/scraping/status"] = shop.as_json(failed)
    assert "Motivo: 40 % dos livros sumiram" in words(open_page("scraping"))


def test_logs_show_the_newest_first_and_count_what_is_shown(shop: FakeApi) -> None:
    app = open_page("logs")
    assert figures(app)["Registros"] == "30"
    assert figures(app)["Latência p50"] == "24 ms"  # of 10 ... 39
    assert app.dataframe[0].value["request_id"].iloc[0] == "req-29"


def test_log_filters_are_the_routes_own_parameters(shop: FakeApi) -> None:
    app = open_page("logs")
    app.selectbox(key="nivel").set_value("ERROR")
    app.selectbox(key="status").set_value("5xx")
    app.selectbox(key="periodo_logs").set_value("15 minutos")
    app.text_input(key="texto").set_value(" livro ")
    app.run()
    asked = shop.asked["/api/v1/logs"][-1]
    assert asked.pop("since").endswith("Z")
    assert asked == {"levelname": "ERROR", "status": "5xx", "text": "livro", "limit": "100"}


def test_the_story_of_a_request_is_told_from_its_beginning(shop: FakeApi) -> None:
    told = [
        log_record(1, message="order_placed", status="pending", order_id="ORDER-1…"),
        log_record(2, message="request", status=201),
    ]
    shop.replies["/api/v1/logs"] = shop.as_json(told)
    app = open_page("logs")
    app.text_input(key="historia").set_value("req-1").run()
    assert shop.asked["/api/v1/logs"][-1] == {"request_id": "req-1", "limit": "1000"}
    story = app.dataframe[1].value
    assert story["Evento"].tolist() == ["order_placed", "request"]
    assert story["Detalhes"].tolist() == ["status=pending order_id=ORDER-1…", ""]


def test_a_server_without_the_log_route_is_not_an_error(shop: FakeApi) -> None:
    del shop.replies["/api/v1/logs"]
    app = open_page("logs")
    assert "não tem a rota" in words(app)
    assert not app.error


def test_closed_logs_say_how_to_give_a_token(shop: FakeApi) -> None:
    shop.replies["/api/v1/logs"] = shop.as_json({"detail": "Falta o token."}, 401)
    assert "API_TOKEN" in words(open_page("logs"))


def test_the_pause_switch_stops_the_clock(shop: FakeApi) -> None:
    app = open_page("scraping")
    assert "a cada 1 h" in words(app)
    app.toggle(key="em_pausa").set_value(True).run()
    assert "em pausa" in words(app)
