"""The page Logs Estruturados without a browser."""

from __future__ import annotations

from tests.support.dashboards.fake_api import FakeApi, log_record
from tests.support.dashboards.pages import open_page, page_text, tile_values

LOGS = "/api/v1/logs"


def test_the_newest_record_comes_first_and_the_tiles_count_the_records(shop: FakeApi) -> None:
    app = open_page("logs")
    tiles = tile_values(app)
    assert tiles["Registros"] == "30"
    assert tiles["Latência p50"] == "24 ms"  # of 10 ... 39
    newest = app.dataframe[0].value.iloc[0]
    assert (newest["request_id"], newest["Nível"], newest["Evento"]) == ("req-29", "INFO", "request")
    assert round(newest["Duração (ms)"], 6) == 39


def test_the_filters_are_the_routes_own_parameters(shop: FakeApi) -> None:
    app = open_page("logs")
    app.selectbox(key="nivel").set_value("ERROR")
    app.selectbox(key="status").set_value("5xx")
    app.selectbox(key="periodo_logs").set_value("15 minutos")
    app.text_input(key="texto").set_value(" livro ")
    app.run()
    query = shop.queries[LOGS][-1]
    assert query.pop("since").endswith("Z")
    assert query == {"levelname": "ERROR", "status": "5xx", "text": "livro", "limit": "100"}


def test_the_records_of_one_request_are_shown_oldest_first(shop: FakeApi) -> None:
    records = [
        log_record(1, message="order_placed", status="pending", order_id="ORDER-1…"),
        log_record(2, message="request", status=201),
    ]
    shop.responses[LOGS] = shop.as_json(records)
    app = open_page("logs")
    app.text_input(key="historia").set_value("req-1").run()
    assert shop.queries[LOGS][-1] == {"request_id": "req-1", "limit": "1000"}
    table = app.dataframe[1].value
    assert table["Evento"].tolist() == ["order_placed", "request"]
    assert table["Detalhes"].tolist() == ["status=pending order_id=ORDER-1…", ""]


def test_a_server_without_the_log_route_is_not_an_error(shop: FakeApi) -> None:
    del shop.responses[LOGS]
    app = open_page("logs")
    assert "não tem a rota" in page_text(app)
    assert not app.error


def test_protected_logs_say_how_to_give_a_token(shop: FakeApi) -> None:
    shop.responses[LOGS] = shop.as_json({"detail": "Falta o token."}, 401)
    assert "API_TOKEN" in page_text(open_page("logs"))
