"""The servers that this process asks, and which of them tells the metrics."""

from __future__ import annotations

import streamlit as st

from dashboards.client.auth import FixedToken, Login
from dashboards.client.catalogue import Api
from dashboards.client.http_client import Problem, Server, Tokens
from dashboards.metrics.history import History
from dashboards.metrics.prometheus import PrometheusSource
from dashboards.metrics.scraped import LiveSource
from dashboards.metrics.source import Source
from dashboards.settings import Settings, read_settings

API = "A API"
PERIODS = {"15 minutos": 900, "1 hora": 3_600, "6 horas": 21_600, "24 horas": 86_400, "7 dias": 604_800}
DEFAULT_PERIOD = "15 minutos"
PERIOD_KEY = "periodo"
LOOK_FOR_PROMETHEUS_EVERY_S = 15


@st.cache_resource
def settings() -> Settings:
    return read_settings()


def api() -> Api:
    url = settings().api_url
    return Api(Server(API, url), Server(API, url, _operator()))


@st.cache_resource(show_spinner=False)
def _operator() -> Tokens:
    """One login for everybody who looks."""
    known = settings()
    if known.api_user:
        return Login(Server(API, known.api_url), known.api_user, known.api_password)
    return FixedToken(known.api_token)


def source() -> Source:
    """Prometheus if it answers and collects the shop, else the API itself."""
    if prometheus_answers(settings().prometheus_url):
        return _prometheus(settings().prometheus_url, st.session_state.get(PERIOD_KEY) or DEFAULT_PERIOD)
    return LiveSource(_history(settings().api_url).readings())


@st.cache_data(ttl=LOOK_FOR_PROMETHEUS_EVERY_S, show_spinner=False)
def prometheus_answers(url: str) -> bool:
    try:
        return _prometheus(url, DEFAULT_PERIOD).knows_the_shop()
    except Problem:
        return False


@st.cache_resource(show_spinner=False)
def _history(api_url: str) -> History:
    server = Server(API, api_url)
    return History(Api(server, server).metrics)


def _prometheus(url: str, period: str) -> PrometheusSource:
    return PrometheusSource(Server("O Prometheus", url), PERIODS[period], f"nos últimos {period}")
