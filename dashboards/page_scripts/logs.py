"""Logs Estruturados: log records by filter, their counts, and the records of one request."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pandas as pd
import streamlit as st

from dashboards import formats
from dashboards.client.connect import operator_client
from dashboards.client.http_client import HttpStatusError
from dashboards.client.logs import fetch_logs
from dashboards.components import charts
from dashboards.components.page_layout import Tile, explain_forbidden, reporting_errors, show_page, show_tiles
from dashboards.components.tables import show_table

ANY = "Todos"
LEVELS = (ANY, "DEBUG", "INFO", "WARNING", "ERROR")
STATUSES = (ANY, "2xx", "3xx", "4xx", "5xx")
PERIODS_MIN = {"Tudo": None, "5 minutos": 5, "15 minutos": 15, "1 hora": 60, "24 horas": 1_440}
LIMITS = (100, 300, 1_000)
TABLE_KEY = "registros"
REQUEST_ID_KEY = "historia"
TITLES = {
    "timestamp": "Quando",
    "levelname": "Nível",
    "status": "Status",
    "method": "Método",
    "path": "Caminho",
    "duration": "Duração (ms)",
    "message": "Evento",
    "details": "Detalhes",
    "user": "Usuário",
    "request_id": "request_id",
    "route": "Rota",
    "bytes": "Bytes",
    "remote_addr": "Endereço",
    "name": "Logger",
}
DECIMALS = {"Status": 0, "Duração (ms)": 1, "Bytes": 0}


def body() -> None:
    query = read_filters()
    with reporting_errors():
        try:
            records, has_more = fetch_logs(operator_client(), query)
        except HttpStatusError as error:
            explain_refusal(error)
            return
        show_summary(records)
        if has_more:
            st.caption("Há mais registros do que os mostrados: estreite os filtros ou aumente o limite.")
        show_records(records)
        first_column, second_column = st.columns(2)
        with first_column:
            show_statuses(records)
        with second_column:
            show_slowest_routes(records)
    with reporting_errors():
        show_request()


def explain_refusal(error: HttpStatusError) -> None:
    if error.status == 404:
        st.info("Este servidor não tem a rota `/api/v1/logs`: atualize a API para explorar os logs.")
    else:
        explain_forbidden(error, "ler os logs deste servidor")


def read_filters() -> dict[str, str | int]:
    """Draw the filters and return them as parameters of the route."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        level = st.selectbox("Nível", LEVELS, width=130, key="nivel")
        status = st.selectbox("Status", STATUSES, width=110, key="status")
        period = st.selectbox("Período", PERIODS_MIN, width=150, key="periodo_logs")
        limit = st.selectbox("Limite", LIMITS, width=110, key="limite", format_func=formats.number)
        texts = {
            "route": st.text_input("Rota", width=220, key="rota", placeholder="/api/v1/books"),
            "text": st.text_input("Texto", width=180, key="texto", placeholder="em qualquer campo"),
            "user": st.text_input("Usuário", width=120, key="usuario", placeholder="id"),
            "request_id": st.text_input("request_id", width=220, key="pedido"),
        }
    query: dict[str, str | int] = {name: text.strip() for name, text in texts.items() if text.strip()}
    query["limit"] = limit
    if level != ANY:
        query["levelname"] = level
    if status != ANY:
        query["status"] = status
    minutes = PERIODS_MIN[period]
    if minutes is not None:
        since = datetime.now(UTC) - timedelta(minutes=minutes)
        query["since"] = since.isoformat(timespec="seconds").replace("+00:00", "Z")
    return query


def show_summary(records: pd.DataFrame) -> None:
    requests = records[records["status"].notna()]
    latencies = requests["duration"].dropna()

    def quantile(share: float) -> str:
        return formats.latency(float(latencies.quantile(share)) if len(latencies) else None)

    error_share = (requests["status"] >= 400).mean() if len(requests) else None
    show_tiles(
        [
            Tile("Registros", formats.number(len(records)), "Os que passam pelos filtros, até o limite"),
            Tile("Requisições", formats.number(len(requests)), "Registros que têm um status"),
            Tile("Erros 4xx e 5xx", formats.percent(error_share)),
            Tile("Latência p50", quantile(0.50)),
            Tile("Latência p95", quantile(0.95)),
            Tile("Latência p99", quantile(0.99)),
        ]
    )


def show_records(records: pd.DataFrame) -> None:
    if records.empty:
        st.caption("Nenhum registro passa por estes filtros.")
        return
    request_ids = records["request_id"].tolist()

    def follow() -> None:
        rows = st.session_state[TABLE_KEY]["selection"]["rows"]
        if rows and rows[0] < len(request_ids):
            st.session_state[REQUEST_ID_KEY] = request_ids[rows[0]]

    show_log_table(records, key=TABLE_KEY, on_select=follow)
    st.caption("Marque uma linha para ver a história inteira da sua requisição.")


def show_statuses(records: pd.DataFrame) -> None:
    st.markdown("**Respostas por status**")
    counts = records["status"].dropna().astype(int).astype(str).value_counts().sort_index()
    charts.show_bars(
        pd.DataFrame({"Status": counts.index, "Requisições": counts.to_numpy()}),
        "Status",
        "Requisições",
        upright=True,
        alt_text="Quantas das requisições mostradas tiveram cada status",
    )


def show_slowest_routes(records: pd.DataFrame) -> None:
    st.markdown("**Rotas mais lentas (p95)**")
    requests = records[records["route"] != ""].dropna(subset="duration")
    slowest = 1_000 * requests.groupby("route")["duration"].quantile(0.95).nlargest(8)
    charts.show_bars(
        pd.DataFrame({"Rota": slowest.index, "Duração p95 (ms)": slowest.to_numpy()}),
        "Rota",
        "Duração p95 (ms)",
        number_format=",.1f",
        alt_text="O percentil 95 da duração das rotas mais lentas entre as mostradas",
    )


def show_request() -> None:
    """Draw all records of the request that the reader chose, oldest first."""
    st.subheader("História de uma requisição", divider="gray")
    request_id = st.text_input("Siga um request_id", key=REQUEST_ID_KEY).strip()
    if not request_id:
        st.caption("Marque uma linha acima, ou cole o request_id de uma resposta de erro.")
        return
    records, _ = fetch_logs(operator_client(), {"request_id": request_id, "limit": LIMITS[-1]})
    if records.empty:
        st.caption("Nenhum registro tem este request_id.")
        return
    show_log_table(records.iloc[::-1])


def show_log_table(
    records: pd.DataFrame, key: str | None = None, on_select: Callable[[], None] | None = None
) -> None:
    milliseconds = records.assign(duration=1_000 * records["duration"])
    table = milliseconds[list(TITLES)].rename(columns=TITLES)
    show_table(table, decimals=DECIMALS, wide=["Detalhes"], key=key, on_select=on_select)


show_page("Logs Estruturados", body)
