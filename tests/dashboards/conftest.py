from __future__ import annotations

from collections.abc import Iterator
from functools import cache

import pytest
import streamlit as st
from streamlit.components.v2 import manifest_scanner

from tests.support.dashboards.fake_api import UNREACHABLE_URL, FakeApi


@pytest.fixture(scope="session", autouse=True)
def component_scan_once() -> Iterator[None]:
    """Let AppTest scan the installed packages for Streamlit components once, not at each run of a page."""
    scan = manifest_scanner.scan_component_manifests
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(manifest_scanner, "scan_component_manifests", cache(scan))
        yield


@pytest.fixture
def fake_api() -> Iterator[FakeApi]:
    with FakeApi() as fake:
        yield fake


@pytest.fixture
def dashboard_env(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """The environment of a dashboard with empty caches, whose servers can't be reached."""
    clear_caches()
    monkeypatch.setenv("API_URL", UNREACHABLE_URL)
    monkeypatch.setenv("PROMETHEUS_URL", UNREACHABLE_URL)
    for name in ("API_TOKEN", "API_USER", "API_PASSWORD", "METRICS_TOKEN"):
        monkeypatch.setenv(name, "")
    monkeypatch.setenv("DASHBOARD_REFRESH_S", "3600")
    yield monkeypatch
    clear_caches()


@pytest.fixture
def shop(fake_api: FakeApi, dashboard_env: pytest.MonkeyPatch) -> FakeApi:
    """The API that the dashboard reads."""
    dashboard_env.setenv("API_URL", fake_api.url)
    return fake_api


def clear_caches() -> None:
    st.cache_resource.clear()
    st.cache_data.clear()
