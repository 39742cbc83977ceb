"""The dashboards, without a Grafana: their types, their PromQL and their layout."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator, Mapping
from itertools import combinations
from pathlib import Path
from typing import Any

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
from tests.support.programs import need
from tests.support.server import ROOT

SCHEMA = ROOT / "tests" / "e2e" / "operations" / "grafana-schema"
PROVISIONING = ROOT / "grafana" / "provisioning"
COLUMNS = 24
UNITS = {"none", "s", "ops", "reqps", "percentunit", "bytes", "currencyGBP"}
OPTIONS = {"stat": "Stat", "timeseries": "TimeSeries", "bargauge": "BarGauge"}
"""The type of each kind of panel, whose `options` the dashboard's own type leaves open."""
each_dashboard = pytest.mark.parametrize("path", DASHBOARDS, ids=lambda path: path.stem)


WRONG: dict[str, tuple[tuple[str | int, ...], object]] = {
    "time": (("time", "from"), 5),
    "choice": (("graphTooltip",), "shared"),
    "unknown": (("refresh_rate",), "5s"),
    "place": (("panels", 1, "gridPos", "w"), "4"),
    "threshold": (("panels", 1, "fieldConfig", "defaults", "thresholds", "mode"), "relative"),
    "option": (("panels", 1, "options", "colorMode"), "rainbow"),
    "query": (("panels", 1, "targets", 0, "expr"), None),
}
"""Places in a dashboard, and what Grafana would not take there."""


def as_typescript(board: dict[str, Any]) -> str:
    """A program that assigns a dashboard, and the options, queries and styles of its panels, to Grafana's types.

    `Json` is such a type as it is written in JSON: an enumeration's members by their values.
    """
    composable = "@grafana/schema/dist/esm/raw/composable"
    lines = [
        "import type { Dashboard, DataQuery, GraphFieldConfig } from '@grafana/schema';",
        *(
            f"import type {{ Options as {name}Options }} from '{composable}/{kind}/panelcfg/x/"
            f"{name}PanelCfg_types.gen';"
            for kind, name in OPTIONS.items()
        ),
        # Prometheus' own part of a query is not in the package.
        "type Query = DataQuery & { expr: string; legendFormat?: string; instant?: boolean };",
        "type Json<T> = T extends string ? `${T}` : T extends object ? { [K in keyof T]: Json<T[K]> } : T;",
    ]
    lines.append(f"({json.dumps(board)}) satisfies Json<Dashboard>;")
    for panel in (panel for panel in board["panels"] if panel["type"] != "row"):
        parts = [(panel["options"], f"{OPTIONS[panel['type']]}Options")]
        parts += [(target, "Query") for target in panel["targets"]]
        if panel["type"] == "timeseries":
            parts.append((panel["fieldConfig"]["defaults"]["custom"], "GraphFieldConfig"))
        lines += [f"({json.dumps(part)}) satisfies Json<{name}>;" for part, name in parts]
    return "\n".join([*lines, "export {};", ""])


def type_errors(folder: Path, boards: Mapping[str, dict[str, Any]]) -> dict[str, list[str]]:
    """What the TypeScript compiler finds wrong with each of `boards`, by its name."""
    need("node", debian_package="nodejs")
    compiler = need("tsc", npm_folder=SCHEMA)
    (folder / "node_modules").symlink_to(SCHEMA / "node_modules")
    for name, board in boards.items():
        (folder / f"{name}.ts").write_text(as_typescript(board), encoding="utf-8")
    options = [
        "--strict",
        "--noEmit",
        "--skipLibCheck",
        "--module",
        "esnext",
        "--moduleResolution",
        "bundler",
    ]
    done = subprocess.run(
        [compiler, *options, "--target", "es2022", *(f"{name}.ts" for name in boards)],
        cwd=folder, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    problems = [line for line in done.stdout.splitlines() if not line.startswith(" ")]
    assert bool(problems) == bool(done.returncode), done.stdout + done.stderr
    return {name: [line for line in problems if line.startswith(f"{name}.ts(")] for name in boards}


def overlapping(boxes: list[dict[str, int]]) -> Iterator[tuple[dict[str, int], dict[str, int]]]:
    for one, other in combinations(boxes, 2):
        beside = one["x"] + one["w"] <= other["x"] or other["x"] + other["w"] <= one["x"]
        below = one["y"] + one["h"] <= other["y"] or other["y"] + other["h"] <= one["y"]
        if not (beside or below):
            yield one, other


def test_the_dashboards_are_what_grafana_takes(tmp_path: Path) -> None:
    boards = {path.stem: dashboard(path) for path in DASHBOARDS}
    assert type_errors(tmp_path, boards) == {name: [] for name in boards}


def test_what_grafana_would_not_take_is_found(tmp_path: Path) -> None:
    boards = {name: dashboard(DASHBOARDS[0]) for name in WRONG}
    for name, (path, wrong) in WRONG.items():
        place: Any = boards[name]
        for step in path[:-1]:
            place = place[step]
        place[path[-1]] = wrong
    found = type_errors(tmp_path, boards)
    assert [name for name in WRONG if not found[name]] == []


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
    everything = dashboard(path)["panels"]
    assert len({panel["id"] for panel in everything}) == len(everything)


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
    wanted = {"type": source["type"], "uid": source["uid"]}
    for panel in panels(path):
        used = [panel["datasource"], *(target["datasource"] for target in panel["targets"])]
        assert all(each == wanted for each in used), panel["title"]


def test_the_datasource_knows_how_often_prometheus_scrapes() -> None:
    [source] = read_yaml(PROVISIONING / "datasources" / "prometheus.yml")["datasources"]
    assert (
        source["jsonData"]["timeInterval"] == read_yaml(ROOT / "prometheus.yml")["global"]["scrape_interval"]
    )


def test_every_dashboard_has_an_address_of_its_own() -> None:
    boards = [dashboard(path) for path in DASHBOARDS]
    assert len({board["uid"] for board in boards}) == len({board["title"] for board in boards}) == len(boards)
