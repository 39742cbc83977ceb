"""The API's clients, one set per process."""

import streamlit as st

from dashboards.client.auth import LoginSession, StaticToken
from dashboards.client.http_client import HttpClient, TokenProvider
from dashboards.settings import settings

_API = "A API"


def api_client() -> HttpClient:
    """Return the client for public routes."""
    return HttpClient(_API, settings().api_url)


def metrics_client() -> HttpClient:
    """Return the client for `/metrics`, which may ask for a token of its own."""
    return HttpClient(_API, settings().api_url, StaticToken(settings().metrics_token))


def operator_client() -> HttpClient:
    """Return the client for routes that only operators may read."""
    return HttpClient(_API, settings().api_url, _operator_tokens())


@st.cache_resource(show_spinner=False)
def _operator_tokens() -> TokenProvider:
    """Return the tokens that all viewers share, so that the dashboard logs in once."""
    if settings().api_user:
        return LoginSession(api_client(), settings().api_user, settings().api_password)
    return StaticToken(settings().api_token)
