"""Settings of the dashboard, from environment variables or from .env."""

from dataclasses import dataclass
from pathlib import Path

import streamlit as st

from environment import read_environment

ENV_FILE = Path(__file__).resolve().parents[1] / ".env"
DEFAULT_REFRESH_S = 5.0


@dataclass(frozen=True, slots=True)
class Settings:
    """Routes for operators are read as `api_user`, or with `api_token`, an access token of 15 minutes.

    `metrics_token` is what the API's `/metrics` asks for, empty for nothing.
    """

    api_url: str
    prometheus_url: str
    api_token: str
    api_user: str
    api_password: str
    metrics_token: str
    refresh_s: float


@st.cache_resource
def settings() -> Settings:
    """Return the settings, read once a process."""
    values = read_environment(ENV_FILE)

    def value(name: str, default: str) -> str:
        return (values.get(name) or default).strip()

    api_port = value("PORT", value("FLASK_APP_PORT", "5000"))  # as the API takes them
    return Settings(
        api_url=value("API_URL", f"http://localhost:{api_port}").rstrip("/"),
        prometheus_url=value("PROMETHEUS_URL", "http://localhost:9090").rstrip("/"),
        api_token=value("API_TOKEN", ""),
        api_user=value("API_USER", ""),
        api_password=values.get("API_PASSWORD") or "",
        metrics_token=value("METRICS_TOKEN", ""),
        refresh_s=_seconds(value("DASHBOARD_REFRESH_S", "")),
    )


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        return DEFAULT_REFRESH_S
    return min(max(seconds, 1.0), 3_600.0) if seconds == seconds else DEFAULT_REFRESH_S
