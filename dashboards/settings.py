"""Where the dashboard finds its servers: environment variables, or lines of .env."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from dotenv import dotenv_values

ENV_FILE = Path(__file__).resolve().parents[1] / ".env"
DEFAULT_REFRESH_S = 5.0


@dataclass(frozen=True, slots=True)
class Settings:
    """What the API shows to its operators only is read with `api_user`, who logs in again when it must, or with
    `api_token`, an access token, which soon expires."""

    api_url: str
    prometheus_url: str
    api_token: str
    api_user: str
    api_password: str
    refresh_s: float


def read_settings(environment: Mapping[str, str] | None = None) -> Settings:
    given = {**dotenv_values(ENV_FILE), **os.environ} if environment is None else dict(environment)

    def value(name: str, default: str) -> str:
        return (given.get(name) or default).strip()

    return Settings(
        api_url=value("API_URL", f"http://localhost:{value('FLASK_APP_PORT', '5000')}").rstrip("/"),
        prometheus_url=value("PROMETHEUS_URL", "http://localhost:9090").rstrip("/"),
        api_token=value("API_TOKEN", ""),
        api_user=value("API_USER", ""),
        api_password=given.get("API_PASSWORD") or "",
        refresh_s=_seconds(value("DASHBOARD_REFRESH_S", "")),
    )


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        return DEFAULT_REFRESH_S
    return min(max(seconds, 1.0), 3_600.0) if seconds == seconds else DEFAULT_REFRESH_S
