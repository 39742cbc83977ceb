"""A real Prometheus watches real shops: every simulated fault fires its own alert."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests

from tests.support.polling import poll
from tests.support.prometheus import Prometheus
from tests.support.server import Server
from tests.support.traffic import KEY, Traffic, order

log = logging.getLogger(__name__)

FACTOR = 20
"""The rules' 5 minutes are 15 s here, their hour is 3 minutes."""
FIRES_WITHIN_S = 60.0
RECOVERS_WITHIN_S = 90.0
FULL_WINDOW_S = 5 * 60 / FACTOR + 5
"""The time in which any other alert would fire as well: the rules' window and their patience."""


@dataclass(frozen=True, slots=True)
class Fault:
    """A body of `PUT /api/v1/simulation`, and the one alert that it fires."""

    simulation: dict[str, Any]
    alert: str


FAULTS = {
    "denied": Fault({"taxa_pagamento_negado": 1}, "LivrariaPagamentosNegados"),
    "failing": Fault({"taxa_erro_pagamento": 0.5}, "LivrariaGatewayFalhando"),
    "waiting": Fault({"latencia_pagamento_ms": 2_000}, "LivrariaGatewayLento"),
    "sold-out": Fault({"taxa_falha_estoque": 0.5}, "LivrariaPedidosSemEstoque"),
    "crashing": Fault({"taxa_erro_interno": 1}, "LivrariaDisponibilidade"),
    "slow": Fault({"taxa_lentidao": 0.5, "lentidao_ms": 3_000}, "LivrariaPedidosLentos"),
}
FEW_CRASHES = Fault({"taxa_erro_interno": 1}, "LivrariaErrosInternos")
SCENARIOS = {**FAULTS, "few-crashes": FEW_CRASHES}


@dataclass(slots=True)
class Observation:
    """The alerts that fired before a fault, during it and, still, after it, and the seconds until they changed."""

    before: set[str]
    during: set[str] = field(default_factory=set)
    after: set[str] = field(default_factory=set)
    fired_after_s: float = 0
    recovered_after_s: float = 0
    texts: list[str] = field(default_factory=list)


class Scenario:
    """A shop, the Prometheus that watches it, and an admin who sets the simulation."""

    def __init__(self, server: Server, prometheus: Prometheus) -> None:
        self.server = server
        self.prometheus = prometheus
        self._admin = server.log_in()

    def play(self, fault: Fault) -> Observation:
        """Simulate `fault` with customers all the while."""
        stock = {book["id"]: book["disponibilidade"] for book in self.server.get("/api/v1/books").json()}
        plenty = [book for book, copies in stock.items() if copies > 8]  # buying must not make stocks run low
        self._settle_in()
        with Traffic(self.server.url, plenty) as traffic:
            assert poll(lambda: self.prometheus.query("livraria:orders_own_seconds:mean5m > 0"), 30)
            observation = self._observe(fault, lambda: self._simulate(fault.simulation))
        assert traffic.problems == []
        return observation

    def play_few_crashes(self) -> Observation:
        """Crash four orders of a quiet shop: too few for the alert that pages."""

        def crash() -> None:
            self._simulate(FEW_CRASHES.simulation)
            for _ in range(4):
                assert self.server.post("/orders", headers=KEY, json=order(1)).status_code == 500
                self._await_scrape()

        self._settle_in()
        return self._observe(FEW_CRASHES, crash)

    def _settle_in(self) -> None:
        """Wait for the first figures: until then the shop is not there, which in these hurried rules is an alert."""
        assert poll(lambda: self._scrapes() and not self.prometheus.firing(), 20)

    def _observe(self, fault: Fault, begin: Callable[[], None]) -> Observation:
        observation = Observation(before=set(self.prometheus.firing()))
        begun = time.monotonic()
        begin()
        assert poll(lambda: fault.alert in self._note(observation), FIRES_WITHIN_S), observation
        observation.fired_after_s = time.monotonic() - begun
        poll(lambda: self._note(observation) and False, FULL_WINDOW_S)
        self._simulate({})
        ended = time.monotonic()
        poll(lambda: not self._note(observation), RECOVERS_WITHIN_S)
        observation.recovered_after_s = time.monotonic() - ended
        observation.after = set(self.prometheus.firing())
        return observation

    def _note(self, observation: Observation) -> dict[str, dict[str, Any]]:
        firing = self.prometheus.firing()
        observation.during |= set(firing)
        observation.texts += [text for alert in firing.values() for text in alert["annotations"].values()]
        return firing

    def _simulate(self, simulation: dict[str, Any]) -> None:
        url = f"{self.server.url}/api/v1/simulation"
        response = requests.put(url, json=simulation, headers=self._admin, timeout=10)
        assert response.status_code == 200, response.text

    def _await_scrape(self) -> None:
        before = self._scrapes()
        poll(lambda: self._scrapes() > before, 10)

    def _scrapes(self) -> int:
        """Return how often Prometheus has read the shop's figures."""
        series = self.prometheus.query('count_over_time(up{job="livraria"}[10m])')
        return int(series[0]["value"][1]) if series else 0


def test_each_simulated_fault_fires_its_own_alert_and_no_other(
    serve: Callable[..., Server], tmp_path: Path
) -> None:
    def live_through(name: str) -> Observation:
        server = serve(name)
        with Prometheus(tmp_path / f"{name}-prometheus", f"127.0.0.1:{server.port}", FACTOR) as prometheus:
            scenario = Scenario(server, prometheus)
            return scenario.play(FAULTS[name]) if name in FAULTS else scenario.play_few_crashes()

    with ThreadPoolExecutor(len(SCENARIOS)) as scenarios:
        observations = dict(zip(SCENARIOS, scenarios.map(live_through, SCENARIOS), strict=True))
    for name, observation in observations.items():
        fired, recovered = observation.fired_after_s, observation.recovered_after_s
        log.info("%s fired after %.0f s, recovered after %.0f s", name, fired, recovered)
    silent: dict[str, set[str]] = {name: set() for name in SCENARIOS}
    assert {name: observation.before for name, observation in observations.items()} == silent
    assert {name: observation.during for name, observation in observations.items()} == {
        name: {fault.alert} for name, fault in SCENARIOS.items()
    }
    assert {name: observation.after for name, observation in observations.items()} == silent
    texts = {text for observation in observations.values() for text in observation.texts}
    assert [text for text in texts if "<" in text or "NaN" in text] == [], "a template that went wrong"
