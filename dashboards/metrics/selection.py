"""Select the source: Prometheus where it collects the shop, else readings of the API's `/metrics`."""

from functools import partial

import streamlit as st

from dashboards.client.connect import metrics_client
from dashboards.client.http_client import HttpClient, RequestFailed
from dashboards.metrics.history import History
from dashboards.metrics.prometheus import PrometheusSource
from dashboards.metrics.scraped import ScrapedSource, fetch_samples
from dashboards.metrics.source import Source
from dashboards.settings import settings

PERIODS_S = {"15 minutos": 900, "1 hora": 3_600, "6 horas": 21_600, "24 horas": 86_400, "7 dias": 604_800}
DEFAULT_PERIOD = "15 minutos"
PERIOD_KEY = "periodo"
PROMETHEUS_CHECK_INTERVAL_S = 15


def current_source() -> Source:
    """Return the source for the reader's period; raise RequestFailed where `/metrics` can't be read."""
    if prometheus_available():
        return _prometheus(st.session_state.get(PERIOD_KEY) or DEFAULT_PERIOD)
    return ScrapedSource(_history().readings())


@st.cache_data(ttl=PROMETHEUS_CHECK_INTERVAL_S, show_spinner=False)
def prometheus_available() -> bool:
    """Return True if Prometheus responds and collects the shop."""
    try:
        return _prometheus(DEFAULT_PERIOD).knows_the_shop()
    except RequestFailed:
        return False


@st.cache_resource(show_spinner=False)
def _history() -> History:
    """Return the readings that all viewers share."""
    return History(partial(fetch_samples, metrics_client()))


def _prometheus(period: str) -> PrometheusSource:
    client = HttpClient("O Prometheus", settings().prometheus_url)
    return PrometheusSource(client, PERIODS_S[period], f"nos últimos {period}")
