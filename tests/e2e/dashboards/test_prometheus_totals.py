"""Totals as a real Prometheus reckons them, to the penny, of a shop whose counters a test turns itself."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry, Counter, Gauge, generate_latest

from dashboards.client.http_client import HttpClient
from dashboards.metrics.prometheus import PrometheusSource
from dashboards.metrics.source import last_value
from tests.observability.prometheus import Prometheus
from tests.support.dashboards.fake_api import FakeApi

PERIOD_S = 900


class Counters:
    """What a process of the shop counts: it begins with nothing, and says when it began."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        at = {"registry": self.registry}
        self.orders = Counter("orders_total", "-", ["status"], **at)
        self.ticks = Gauge("ticks", "-", **at)
        Gauge("livraria_build_info", "-", **at).set(1)
        self.started = Gauge("process_start_time_seconds", "-", **at)
        self.started.set(time.time())

    def text(self) -> str:
        return generate_latest(self.registry).decode()


class Seen:
    """A shop, its Prometheus, and what the dashboard asks it."""

    def __init__(self, api: FakeApi, prometheus: Prometheus) -> None:
        self.api, self.prometheus = api, prometheus
        self.restart()

    def restart(self) -> Counters:
        self.counters = Counters()
        self.show()
        return self.counters

    def show(self) -> None:
        """Have Prometheus read the counters as they are now."""
        tick = time.time()
        self.counters.ticks.set(tick)
        self.api.replies["/metrics"] = (200, self.counters.text())
        self.prometheus.wait_for(f"ticks == {tick!r}")

    def source(self, period_s: int = PERIOD_S) -> PrometheusSource:
        return PrometheusSource(HttpClient("O Prometheus", self.prometheus.url), period_s, "agora")

    def total(self, period_s: int = PERIOD_S) -> float | None:
        return last_value(self.source(period_s).total("orders_total"))


@pytest.fixture
def seen(tmp_path: Path) -> Iterator[Seen]:
    with (
        FakeApi() as api,
        Prometheus(tmp_path / "prometheus", api.url.removeprefix("http://")) as prometheus,
    ):
        yield Seen(api, prometheus)


def test_totals_are_the_counters_own(seen: Seen) -> None:
    for pounds in (123.06, 10.0, 0.5):
        seen.counters.orders.labels("approved").inc(pounds)
        seen.show()
    assert seen.total() == pytest.approx(133.56, abs=1e-9)
    seen.counters.orders.labels("denied").inc(2)
    seen.show()
    by_status = seen.source().total("orders_total", ("status",))
    assert dict(by_status.values.tolist()) == {"approved": pytest.approx(133.56), "denied": 2.0}
    time.sleep(4)
    assert seen.total(3) == 0  # all of it was before
    seen.counters.orders.labels("approved").inc(7)
    seen.show()
    assert seen.total(3) == pytest.approx(7)


def test_what_was_counted_before_anybody_looked_is_not_of_the_period(seen: Seen) -> None:
    seen.counters.started.set(time.time() - 10 * PERIOD_S)
    for orders in (10_000, 5):
        seen.counters.orders.labels("approved").inc(orders)
        seen.show()
    total = seen.total()
    assert total is not None
    assert total < 100


def test_a_restart_is_no_negative_total_and_history_outlives_the_shop(seen: Seen) -> None:
    seen.counters.orders.labels("approved").inc(50)
    seen.show()
    seen.restart().orders.labels("approved").inc(3)
    seen.show()
    total = seen.total()
    assert total is not None
    assert 0 < total < 60
    seen.api.replies["/metrics"] = (503, "")
    seen.prometheus.wait_for('up{job="livraria"} == 0')
    assert not seen.prometheus.query("orders_total")
    assert seen.source().knows_the_shop()
    assert seen.total() == pytest.approx(total, rel=0.5)
