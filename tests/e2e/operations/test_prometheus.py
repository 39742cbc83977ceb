"""The real Prometheus watches the real shop: every expression finds its figures, every knob its alert."""

from __future__ import annotations

import logging
import shutil
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import requests

from demo.books import make_books
from demo.site import DemoSite
from tests.support.operators_files import (
    Expression,
    concrete,
    hurried,
    operands,
    panel_expressions,
    rules,
)
from tests.support.prometheus import Prometheus
from tests.support.server import Server
from tests.support.traffic import KEY, Traffic, order

log = logging.getLogger(__name__)

FACTOR = 15
"""The rules' 5 minutes are 20 s here, their hour is 4 minutes."""
FIRES_WITHIN_S = 60.0
RECOVERS_WITHIN_S = 90.0
FULL_WINDOW_S = 5 * 60 / FACTOR + 5
"""So long any other alert has to fire as well: the causes' window and their patience."""
TRAINS_WITHIN_S = 120.0
BOOKS = 40
"""So few that a training has nothing to compare and takes seconds."""
STARTING_AT_ONCE = 2
SCENES_AT_ONCE = 4
"""All together would make every shop slow on two cores, and say so."""


def poll(what: Callable[[], Any], within_s: float) -> Any:
    """The first true answer of `what`; the last one after `within_s`."""
    deadline = time.monotonic() + within_s
    while not (answer := what()) and time.monotonic() < deadline:
        time.sleep(0.2)
    return answer


def asked() -> Iterator[Expression]:
    """What must have data: every panel and recorded rule as it is, and what every alert compares."""
    yield from (Expression(each.origin, concrete(each.text)) for each in panel_expressions())
    for rule in rules():
        if "record" in rule:
            yield Expression(rule["record"], rule["expr"])
            yield Expression(rule["record"], rule["record"])
        else:
            yield from (Expression(rule["alert"], operand) for operand in operands(rule["expr"]))


def without_data(prometheus: Prometheus, expressions: Iterable[Expression]) -> list[Expression]:
    return [expression for expression in expressions if not prometheus.query(expression.text)]


def make_everything_happen(server: Server) -> None:
    """Each kind of request that the dashboards show, at least twice and some seconds apart for the rates."""
    tag = server.get("/api/v1/books").headers["ETag"]
    server.get("/api/v1/books", headers={"If-None-Match": tag})
    for path in (
        "/api/v1/books/3",
        "/api/v1/stats/overview",
        "/health",
        "/nothing/here",
        "/api/v1/books/99999999",
    ):
        server.get(path)
    book = {"preco_com_taxa": 10, "preco_sem_taxa": 8, "disponibilidade": 1}
    server.post("/api/v1/ml/predictions", json=[book])
    for password in ("1234", "wrong"):
        server.post("/api/v1/auth/login", json={"username": "admin", "password": password})
    for token in ("tok_approved", "tok_denied", "tok_error"):
        placed = server.post("/orders", headers=KEY, json=order(1, token))
        if placed.status_code == 201:
            server.post("/orders", headers=KEY, json=order(1, token, quantity=999))  # not so many in stock


@pytest.fixture
def serve(tmp_path: Path, ready_data: Path) -> Iterator[Callable[..., Server]]:
    """Real servers, each on a data directory of its own."""
    gate = threading.Semaphore(STARTING_AT_ONCE)
    with ExitStack() as servers:

        def start(name: str, **environment: str) -> Server:
            shutil.copytree(ready_data, tmp_path / name / "data")
            with gate:  # starting is nothing but work: all together they would be late
                return servers.enter_context(Server(tmp_path / name / "data", **environment))

        yield start


def test_every_expression_has_data(serve: Callable[..., Server], tmp_path: Path) -> None:
    with DemoSite(make_books(BOOKS, seed=7)) as site:
        server = serve("shop", SCRAPER_BASE_URL=site.base_url)
        with Prometheus(tmp_path / "prometheus", f"127.0.0.1:{server.port}") as prometheus:
            # The first figures are from before anything happened, as a rate needs.
            assert poll(lambda: prometheus.query("livraria_catalogue_books"), 20)
            server.post("/api/v1/scraping/trigger", headers=server.log_in())
            assert server.wait_for_scrape()["status"] == "done"
            server.post("/api/v1/ml/train", headers=server.log_in())
            assert poll(
                lambda: server.get("/api/v1/ml/status").json()["status"] == "done", TRAINS_WITHIN_S
            ), server.get("/api/v1/ml/status").text

            def missing() -> list[Expression]:
                make_everything_happen(server)
                return without_data(prometheus, asked())

            poll(lambda: not missing(), 30)
            assert missing() == []
            assert prometheus.rule_problems() == []

            # And one that asks for what there isn't is found, also where an alert would hide it.
            wrong = Expression("wrong", "rate(livraria_no_such_total[5m])")
            assert without_data(prometheus, [wrong]) == [wrong]
            hidden = [
                Expression("hidden", part)
                for part in operands("up < 1 and on () no_such_metric > 0 or up == 0")
            ]
            assert [each.text for each in without_data(prometheus, hidden)] == ["no_such_metric{}"]


@dataclass(frozen=True, slots=True)
class Trouble:
    """A knob and the alert that is its own."""

    knob: dict[str, Any]
    alert: str


TROUBLES = {
    "denied": Trouble({"taxa_pagamento_negado": 1}, "LivrariaPagamentosNegados"),
    "failing": Trouble({"taxa_erro_pagamento": 0.5}, "LivrariaGatewayFalhando"),
    "waiting": Trouble({"latencia_pagamento_ms": 2_000}, "LivrariaGatewayLento"),
    "sold-out": Trouble({"taxa_falha_estoque": 0.5}, "LivrariaPedidosSemEstoque"),
    "crashing": Trouble({"taxa_erro_interno": 1}, "LivrariaDisponibilidade"),
    "slow": Trouble({"taxa_lentidao": 0.5, "lentidao_ms": 3_000}, "LivrariaPedidosLentos"),
}
FEW_CRASHES = Trouble({"taxa_erro_interno": 1}, "LivrariaErrosInternos")


@dataclass(slots=True)
class Seen:
    """The alerts that fired before a trouble, during it and, still, after it, and how long the changes took."""

    before: set[str]
    during: set[str] = field(default_factory=set)
    after: set[str] = field(default_factory=set)
    fired_after_s: float = 0
    recovered_after_s: float = 0
    texts: list[str] = field(default_factory=list)


class Scene:
    """A shop, the Prometheus that watches it, and an admin at the knobs."""

    def __init__(self, server: Server, prometheus: Prometheus) -> None:
        self.server = server
        self.prometheus = prometheus
        self._admin = server.log_in()

    def play(self, trouble: Trouble) -> Seen:
        """With customers all the while."""
        stock = {book["id"]: book["disponibilidade"] for book in self.server.get("/api/v1/books").json()}
        plenty = [book for book, copies in stock.items() if copies > 8]  # buying must not make stocks run low
        self._settle_in()
        with Traffic(self.server.url, plenty) as traffic:
            assert poll(lambda: self.prometheus.query("livraria:orders_own_seconds:mean5m > 0"), 30)
            seen = self._watch(trouble, lambda: self._turn(trouble.knob))
        assert traffic.problems == []
        return seen

    def play_few_crashes(self) -> Seen:
        """In a quiet shop: too few for the page that many of them get."""

        def crash() -> None:
            self._turn(FEW_CRASHES.knob)
            for _ in range(4):
                assert self.server.post("/orders", headers=KEY, json=order(1)).status_code == 500
                self._await_scrape()

        self._settle_in()
        return self._watch(FEW_CRASHES, crash)

    def _settle_in(self) -> None:
        """Before Prometheus has read anything, the shop is not there, which in these hurried rules is an alert."""
        assert poll(lambda: self._scrapes() and not self.prometheus.firing(), 20)

    def _watch(self, trouble: Trouble, make_trouble: Callable[[], None]) -> Seen:
        seen = Seen(before=set(self.prometheus.firing()))
        begun = time.monotonic()
        make_trouble()
        assert poll(lambda: trouble.alert in self._note(seen), FIRES_WITHIN_S), seen
        seen.fired_after_s = time.monotonic() - begun
        poll(lambda: self._note(seen) and False, FULL_WINDOW_S)
        self._turn({})
        begun = time.monotonic()
        poll(lambda: not self._note(seen), RECOVERS_WITHIN_S)
        seen.recovered_after_s = time.monotonic() - begun
        seen.after = set(self.prometheus.firing())
        return seen

    def _note(self, seen: Seen) -> dict[str, dict[str, Any]]:
        firing = self.prometheus.firing()
        seen.during |= set(firing)
        seen.texts += [text for alert in firing.values() for text in alert["annotations"].values()]
        return firing

    def _turn(self, knob: dict[str, Any]) -> None:
        url = f"{self.server.url}/api/v1/simulation"
        answer = requests.put(url, json=knob, headers=self._admin, timeout=10)
        assert answer.status_code == 200, answer.text

    def _await_scrape(self) -> None:
        before = self._scrapes()
        poll(lambda: self._scrapes() > before, 10)

    def _scrapes(self) -> int:
        """How often Prometheus has read the shop's figures."""
        series = self.prometheus.query('count_over_time(up{job="livraria"}[10m])')
        return int(series[0]["value"][1]) if series else 0


def test_each_knob_makes_its_own_alert_fire_and_no_other(
    serve: Callable[..., Server], tmp_path: Path
) -> None:
    def live_through(name: str) -> Seen:
        server = serve(name)
        with Prometheus(tmp_path / f"{name}-prometheus", f"127.0.0.1:{server.port}", FACTOR) as prometheus:
            scene = Scene(server, prometheus)
            return scene.play(TROUBLES[name]) if name in TROUBLES else scene.play_few_crashes()

    troubles = {**TROUBLES, "few-crashes": FEW_CRASHES}
    with ThreadPoolExecutor(SCENES_AT_ONCE) as scenes:
        seen = dict(zip(troubles, scenes.map(live_through, troubles), strict=True))
    for name, each in seen.items():
        log.info(
            "%s fired after %.0f s, recovered after %.0f s", name, each.fired_after_s, each.recovered_after_s
        )
    assert {name: each.before for name, each in seen.items()} == {name: set() for name in troubles}
    assert {name: each.during for name, each in seen.items()} == {
        name: {trouble.alert} for name, trouble in troubles.items()
    }
    assert {name: each.after for name, each in seen.items()} == {name: set() for name in troubles}
    texts = {text for each in seen.values() for text in each.texts}
    assert [text for text in texts if "<" in text or "NaN" in text] == [], "a template that went wrong"


def test_hurrying_changes_windows_and_patience_only() -> None:
    text = "record: a:rate5m\nexpr: rate(x[5m]) > 7 * 86400 or y[1h]\nfor: 1m\nfor: 30s"
    assert (
        hurried(text, 15) == "record: a:rate5m\nexpr: rate(x[20s]) > 7 * 86400 or y[240s]\nfor: 4s\nfor: 2s"
    )
    assert (
        hurried(text, 1)
        == "record: a:rate5m\nexpr: rate(x[300s]) > 7 * 86400 or y[3600s]\nfor: 60s\nfor: 30s"
    )
