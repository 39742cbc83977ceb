from __future__ import annotations

from collections.abc import Iterator

import pytest
import streamlit as st

from tests.support.dashboards.fake_api import NOBODY, FakeApi


@pytest.fixture
def fake_api() -> Iterator[FakeApi]:
    with FakeApi() as fake:
        yield fake


@pytest.fixture
def dashboard_of(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """The environment of a dashboard that remembers nothing and knows no server."""
    for cache in (st.cache_resource, st.cache_data):
        cache.clear()
    monkeypatch.setenv("API_URL", NOBODY)
    monkeypatch.setenv("PROMETHEUS_URL", NOBODY)
    for name in ("API_TOKEN", "API_USER", "API_PASSWORD"):
        monkeypatch.setenv(name, "")
    monkeypatch.setenv("DASHBOARD_REFRESH_S", "3600")
    yield monkeypatch
    for cache in (st.cache_resource, st.cache_data):
        cache.clear()
