"""The dashboards, without a Grafana, by the TypeScript compiler and Grafana's own types."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.support.operators_files import DASHBOARDS, dashboard
from tests.support.programs import need

SCHEMA = Path(__file__).parent / "grafana-schema"
COMPOSABLE = "@grafana/schema/dist/esm/raw/composable"
OPTIONS = {"stat": "Stat", "timeseries": "TimeSeries", "bargauge": "BarGauge"}
"""The type of each kind of panel, whose `options` the dashboard's own type leaves open."""
HEADER = [
    "import type { Dashboard, DataQuery, GraphFieldConfig } from '@grafana/schema';",
    *(
        f"import type {{ Options as {name}Options }} from '{COMPOSABLE}/{kind}/panelcfg/x/"
        f"{name}PanelCfg_types.gen';"
        for kind, name in OPTIONS.items()
    ),
    # Prometheus' own part of a query is not in the package.
    "type Query = DataQuery & { expr: string; legendFormat?: string; instant?: boolean };",
    # A type as it is written in JSON: an enumeration's members by their values.
    "type Json<T> = T extends string ? `${T}` : T extends object ? { [K in keyof T]: Json<T[K]> } : T;",
]
WRONG: dict[str, tuple[tuple[str | int, ...], object]] = {
    "time": (("time", "from"), 5),
    "choice": (("graphTooltip",), "shared"),
    "unknown": (("refresh_rate",), "5s"),
    "place": (("panels", 1, "gridPos", "w"), "4"),
    "threshold": (("panels", 1, "fieldConfig", "defaults", "thresholds", "mode"), "relative"),
    "option": (("panels", 1, "options", "colorMode"), "rainbow"),
    "query": (("panels", 1, "targets", 0, "expr"), None),
}
"""Places in a dashboard, and a value that Grafana would not take there."""


def as_typescript(board: Mapping[str, Any]) -> str:
    """Write a program that assigns a dashboard, and the parts of its panels, to Grafana's types."""
    lines = [*HEADER, f"({json.dumps(board)}) satisfies Json<Dashboard>;"]
    for panel in (panel for panel in board["panels"] if panel["type"] != "row"):
        parts = [(panel["options"], f"{OPTIONS[panel['type']]}Options")]
        parts += [(target, "Query") for target in panel["targets"]]
        if panel["type"] == "timeseries":
            parts.append((panel["fieldConfig"]["defaults"]["custom"], "GraphFieldConfig"))
        lines += [f"({json.dumps(part)}) satisfies Json<{name}>;" for part, name in parts]
    return "\n".join([*lines, "export {};", ""])


def with_value(board: dict[str, Any], path: tuple[str | int, ...], value: object) -> dict[str, Any]:
    parent: Any = board
    for step in path[:-1]:
        parent = parent[step]
    parent[path[-1]] = value
    return board


@pytest.fixture(scope="module")
def type_errors(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str]]:
    """The compiler's errors by board, from one run over the dashboards and the wrong variants of the first."""
    need("node", debian_package="nodejs")
    compiler = need("tsc", npm_folder=SCHEMA)
    folder = tmp_path_factory.mktemp("types")
    (folder / "node_modules").symlink_to(SCHEMA / "node_modules")
    boards = {path.stem: dashboard(path) for path in DASHBOARDS}
    boards |= {name: with_value(dashboard(DASHBOARDS[0]), *wrong) for name, wrong in WRONG.items()}
    for name, board in boards.items():
        (folder / f"{name}.ts").write_text(as_typescript(board), encoding="utf-8")
    options = "--strict --noEmit --skipLibCheck --module esnext --moduleResolution bundler --target es2022"
    process = subprocess.run(
        [compiler, *options.split(), *(f"{name}.ts" for name in boards)],
        cwd=folder, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    errors = [line for line in process.stdout.splitlines() if not line.startswith(" ")]
    assert all(line.startswith(tuple(f"{name}.ts(" for name in boards)) for line in errors), errors
    assert bool(errors) == bool(process.returncode), process.stdout + process.stderr
    return {name: [line for line in errors if line.startswith(f"{name}.ts(")] for name in boards}


@pytest.mark.parametrize("name", [path.stem for path in DASHBOARDS])
def test_the_dashboards_are_what_grafana_takes(type_errors: dict[str, list[str]], name: str) -> None:
    assert type_errors[name] == []


@pytest.mark.parametrize("name", WRONG)
def test_a_value_that_grafana_would_not_take_is_an_error(
    type_errors: dict[str, list[str]], name: str
) -> None:
    assert type_errors[name] != []
