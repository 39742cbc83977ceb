"""A real Prometheus that watches a real shop has data for every expression of the dashboards and rules."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from demo.site.books import make_books
from demo.site.server import DemoSite
from tests.support.operators_files import Expression, concrete, operands, panel_expressions, rules
from tests.support.polling import poll
from tests.support.prometheus import Prometheus
from tests.support.server import Server
from tests.support.traffic import KEY, order

TRAINS_WITHIN_S = 120.0
BOOKS = 40
"""So few that a training has nothing to compare and takes seconds."""
PATHS = (
    "/api/v1/books/3",
    "/api/v1/stats/overview",
    "/health",
    "/nothing/here",
    "/api/v1/books/99999999",
)


def expressions_with_data() -> Iterator[Expression]:
    """Every panel and recorded rule as it is, and what every alert compares: each must have data."""
    for panel in panel_expressions():
        yield Expression(panel.origin, concrete(panel.text))
    for rule in rules():
        if "record" in rule:
            yield Expression(rule["record"], rule["expr"])
            yield Expression(rule["record"], rule["record"])
        else:
            yield from (Expression(rule["alert"], operand) for operand in operands(rule["expr"]))


def without_data(prometheus: Prometheus, expressions: Iterable[Expression]) -> list[Expression]:
    return [expression for expression in expressions if not prometheus.query(expression.text)]


def make_everything_happen(server: Server) -> None:
    """Send each kind of request that the dashboards show."""
    tag = server.get("/api/v1/books").headers["ETag"]
    server.get("/api/v1/books", headers={"If-None-Match": tag})
    for path in PATHS:
        server.get(path)
    book = {"preco_com_taxa": 10, "preco_sem_taxa": 8, "disponibilidade": 1}
    server.post("/api/v1/ml/predictions", json=[book])
    for password in ("1234", "wrong"):
        server.post("/api/v1/auth/login", json={"username": "admin", "password": password})
    for token in ("tok_approved", "tok_denied", "tok_error"):
        placed = server.post("/orders", headers=KEY, json=order(1, token))
        if placed.status_code == 201:
            server.post("/orders", headers=KEY, json=order(1, token, quantity=999))  # not so many in stock


def scrape_and_train(server: Server) -> None:
    admin = server.log_in()
    server.post("/api/v1/scraping/trigger", headers=admin)
    assert server.wait_for_scrape()["status"] == "done"
    server.post("/api/v1/ml/train", headers=admin)

    def trained() -> bool:
        return bool(server.get("/api/v1/ml/status").json()["status"] == "done")

    assert poll(trained, TRAINS_WITHIN_S), server.get("/api/v1/ml/status").text


def test_every_expression_has_data(serve: Callable[..., Server], tmp_path: Path) -> None:
    with DemoSite(make_books(BOOKS, seed=7)) as site:
        server = serve("shop", SCRAPER_BASE_URL=site.base_url, SCRAPER_SCHEDULE="0 3 1 1 *")
        with Prometheus(tmp_path / "prometheus", f"127.0.0.1:{server.port}") as prometheus:
            # The first figures are from before anything happened, as a rate needs.
            assert poll(lambda: prometheus.query("livraria_catalogue_books"), 20)
            scrape_and_train(server)

            def missing() -> list[Expression]:
                make_everything_happen(server)  # at least twice and some time apart, for the rates
                return without_data(prometheus, expressions_with_data())

            poll(lambda: not missing(), 30)
            assert missing() == []
            assert prometheus.rule_problems() == []
            check_that_what_is_missing_is_reported(prometheus)


def check_that_what_is_missing_is_reported(prometheus: Prometheus) -> None:
    """An expression of an unknown metric is reported, also where an alert would hide it."""
    wrong = Expression("wrong", "rate(livraria_no_such_total[5m])")
    assert without_data(prometheus, [wrong]) == [wrong]
    alert = "up < 1 and on () no_such_metric > 0 or up == 0"
    hidden = [Expression("hidden", operand) for operand in operands(alert)]
    assert [expression.text for expression in without_data(prometheus, hidden)] == ["no_such_metric{}"]
