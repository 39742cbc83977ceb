"""Totals that a real Prometheus computes exactly, from counters that the tests increase."""

from __future__ import annotations

import time
from collections.abc import Iterator
from itertools import count

import pytest
from prometheus_client import CollectorRegistry, Counter, Gauge, generate_latest

from dashboards.client.http_client import HttpClient
from dashboards.metrics.prometheus import PrometheusSource
from dashboards.metrics.source import last_value
from tests.support.dashboards.fake_api import FakeApi
from tests.support.prometheus import Prometheus

PERIOD_S = 900
SHORT_PERIOD_S = 3
WAIT_S = 30
numbers = count()


class Process:
    """The metrics of a new process of the shop, which counts orders in `counter`."""

    def __init__(self, counter: str) -> None:
        self.registry = CollectorRegistry()
        self.orders = Counter(counter, "-", ["status"], registry=self.registry)
        self.ticks = Gauge("ticks", "-", registry=self.registry)
        Gauge("livraria_build_info", "-", registry=self.registry).set(1)
        self.started = Gauge("process_start_time_seconds", "-", registry=self.registry)
        self.started.set(time.time())

    def text(self) -> str:
        return generate_latest(self.registry).decode()


class Shop:
    """A shop that Prometheus scrapes, and the dashboard's queries about it."""

    def __init__(self, api: FakeApi, prometheus: Prometheus) -> None:
        self.api, self.prometheus = api, prometheus
        self.counter = f"orders_{next(numbers)}_total"  # Prometheus still has those of the tests before
        self.restart()

    def restart(self) -> None:
        self.process = Process(self.counter)
        self.scrape()

    def order(self, amount: float, status: str = "approved") -> None:
        """Count orders, and have Prometheus scrape the counter."""
        self.process.orders.labels(status).inc(amount)
        self.scrape()

    def scrape(self) -> None:
        tick = time.time()
        self.process.ticks.set(tick)
        self.api.responses["/metrics"] = (200, self.process.text())
        self.prometheus.wait_for(f"ticks == {tick!r}")

    def source(self, period_s: int = PERIOD_S) -> PrometheusSource:
        return PrometheusSource(HttpClient("O Prometheus", self.prometheus.url), period_s, "agora")

    def total(self, period_s: int = PERIOD_S) -> float | None:
        return last_value(self.source(period_s).total(self.counter))

    def wait_for_total(self, total: float, period_s: int) -> None:
        deadline = time.monotonic() + WAIT_S
        while self.total(period_s) != total:
            assert time.monotonic() < deadline, self.total(period_s)
            time.sleep(0.1)


@pytest.fixture(scope="module")
def scraped(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[FakeApi, Prometheus]]:
    folder = tmp_path_factory.mktemp("totals") / "prometheus"
    with FakeApi() as api, Prometheus(folder, api.url.removeprefix("http://")) as prometheus:
        yield api, prometheus


@pytest.fixture
def shop(scraped: tuple[FakeApi, Prometheus]) -> Shop:
    return Shop(*scraped)


def test_totals_are_those_of_the_counters(shop: Shop) -> None:
    for pounds in (123.06, 10.0, 0.5):
        shop.order(pounds)
    assert shop.total() == pytest.approx(133.56, abs=1e-9)
    shop.order(2, "denied")
    by_status = shop.source().total(shop.counter, ("status",))
    assert dict(by_status.values.tolist()) == {"approved": pytest.approx(133.56), "denied": 2.0}
    shop.wait_for_total(0, SHORT_PERIOD_S)  # all of it was before
    shop.order(7)
    assert shop.total(SHORT_PERIOD_S) == pytest.approx(7)


def test_orders_counted_before_the_first_scrape_are_not_in_the_period(shop: Shop) -> None:
    shop.process.started.set(time.time() - 10 * PERIOD_S)
    for orders in (10_000, 5):
        shop.order(orders)
    total = shop.total()
    assert total is not None
    assert total < 100


def test_a_restart_gives_no_negative_total_and_history_outlives_the_shop(shop: Shop) -> None:
    shop.order(50)
    shop.restart()
    shop.order(3)
    total = shop.total()
    assert total is not None
    assert 0 < total < 60
    shop.api.responses["/metrics"] = (503, "")
    shop.prometheus.wait_for('up{job="livraria"} == 0')
    assert not shop.prometheus.query(shop.counter)
    assert shop.source().knows_the_shop()
    assert shop.total() == pytest.approx(total, rel=0.5)
