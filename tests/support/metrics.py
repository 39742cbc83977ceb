"""Metrics for parts that are tested alone."""

from __future__ import annotations

from app.core.shop_state import ShopState
from app.observability.metrics import Metrics


def make_metrics() -> Metrics:
    """Return metrics of a shop whose state is never read."""

    def read_state() -> ShopState:
        raise AssertionError("no test renders these metrics")

    return Metrics(read_state)
