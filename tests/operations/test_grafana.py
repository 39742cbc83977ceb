"""The dashboards, as files: their PromQL and their layout. Grafana's types are in tests/e2e."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path

import promql_parser
import pytest

from tests.support.operators_files import (
    DASHBOARDS,
    Expression,
    concrete,
    dashboard,
    panel_expressions,
    panels,
    read_yaml,
    rule_expressions,
)
from tests.support.server import ROOT

PROVISIONING = ROOT / "grafana" / "provisioning"
COLUMNS = 24
UNITS = {"none", "s", "ops", "reqps", "percentunit", "bytes", "currencyGBP"}
each_dashboard = pytest.mark.parametrize("path", DASHBOARDS, ids=lambda path: path.stem)


def overlapping(boxes: list[dict[str, int]]) -> Iterator[tuple[dict[str, int], dict[str, int]]]:
    for one, other in combinations(boxes, 2):
        beside = one["x"] + one["w"] <= other["x"] or other["x"] + other["w"] <= one["x"]
        below = one["y"] + one["h"] <= other["y"] or other["y"] + other["h"] <= one["y"]
        if not (beside or below):
            yield one, other


@pytest.mark.parametrize(
    "expression", [*panel_expressions(), *rule_expressions()], ids=lambda expression: expression.origin
)
def test_every_expression_is_promql(expression: Expression) -> None:
    text = concrete(expression.text)
    assert "$" not in text, "a variable of Grafana's that nothing replaces"
    promql_parser.parse(text)


@each_dashboard
def test_no_panel_lies_over_another_or_outside(path: Path) -> None:
    boxes = [panel["gridPos"] for panel in dashboard(path)["panels"]]
    assert list(overlapping(boxes)) == []
    assert all(box["x"] >= 0 and box["x"] + box["w"] <= COLUMNS for box in boxes)


def test_an_overlap_is_found() -> None:
    here, there = {"x": 0, "y": 0, "w": 12, "h": 8}, {"x": 11, "y": 7, "w": 12, "h": 8}
    assert list(overlapping([here, there])) == [(here, there)]


@each_dashboard
def test_every_panel_says_what_it_measures(path: Path) -> None:
    for panel in panels(path):
        assert panel["title"]
        assert panel["fieldConfig"]["defaults"]["unit"] in UNITS, panel["title"]
        assert panel["fieldConfig"]["defaults"]["thresholds"]["steps"], panel["title"]
        if len(panel["targets"]) > 1:
            assert all(target["legendFormat"] for target in panel["targets"]), panel["title"]
    with_rows = dashboard(path)["panels"]
    assert len({panel["id"] for panel in with_rows}) == len(with_rows)


@each_dashboard
def test_rates_follow_the_interval_that_grafana_chooses(path: Path) -> None:
    """A range of its own is allowed where an alert has the same one."""
    for panel in panels(path):
        for target in panel["targets"]:
            ranges = set(re.findall(r"\[(.+?)\]", target["expr"]))
            assert ranges <= {"$__rate_interval", "$__range", "1h"}, panel["title"]


@each_dashboard
def test_the_datasource_is_the_one_provided_for(path: Path) -> None:
    [source] = read_yaml(PROVISIONING / "datasources" / "prometheus.yml")["datasources"]
    provided = {"type": source["type"], "uid": source["uid"]}
    for panel in panels(path):
        used = [panel["datasource"], *(target["datasource"] for target in panel["targets"])]
        assert all(datasource == provided for datasource in used), panel["title"]


def test_the_datasource_knows_how_often_prometheus_scrapes() -> None:
    [source] = read_yaml(PROVISIONING / "datasources" / "prometheus.yml")["datasources"]
    assert (
        source["jsonData"]["timeInterval"] == read_yaml(ROOT / "prometheus.yml")["global"]["scrape_interval"]
    )


def test_every_dashboard_has_an_address_of_its_own() -> None:
    boards = [dashboard(path) for path in DASHBOARDS]
    assert len({board["uid"] for board in boards}) == len({board["title"] for board in boards}) == len(boards)
