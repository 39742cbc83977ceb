"""The files that an operator uses, and the PromQL in them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import promql_parser
import yaml

from tests.support.server import ROOT

CONFIG = ROOT / "prometheus.yml"
ALERTS = ROOT / "alerts"
RULE_FILES = tuple(sorted(ALERTS.glob("*.yml")))
ALERT_TESTS = tuple(sorted((ALERTS / "tests").glob("*.yml")))
DASHBOARDS = tuple(sorted((ROOT / "grafana" / "dashboards").glob("*.json")))

Expr = Any  # promql_parser's, which has a class for every kind of expression
_JOINING = {"and", "or", "unless", "==", "!=", ">", ">=", "<", "<="}
"""Operators that join measured sides; the whole is empty while all is well."""


@dataclass(frozen=True, slots=True)
class Expression:
    """PromQL and its place: a file, panel or rule."""

    origin: str
    text: str


def read_yaml(path: Path) -> Any:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def rules() -> list[dict[str, Any]]:
    """Return every rule of every file: a recording rule has a `record`, an alerting rule an `alert`."""
    return [rule for path in RULE_FILES for group in read_yaml(path)["groups"] for rule in group["rules"]]


def alerts() -> dict[str, dict[str, Any]]:
    return {rule["alert"]: rule for rule in rules() if "alert" in rule}


def dashboard(path: Path) -> dict[str, Any]:
    board: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return board


def panels(path: Path) -> list[dict[str, Any]]:
    """Return the panels that show something, without the rows."""
    return [panel for panel in dashboard(path)["panels"] if panel["type"] != "row"]


def rule_expressions() -> Iterator[Expression]:
    for rule in rules():
        yield Expression(rule.get("alert") or rule["record"], rule["expr"])


def panel_expressions() -> Iterator[Expression]:
    for path in DASHBOARDS:
        for panel in panels(path):
            for target in panel["targets"]:
                yield Expression(f"{path.name}: {panel['title']}: {target['refId']}", target["expr"])


def concrete(text: str, span: str = "5m") -> str:
    """Replace Grafana's variables in `text`, as Grafana does before it asks Prometheus."""
    return text.replace("$__rate_interval", span).replace("$__range", span)


def selectors(text: str) -> list[Expr]:
    """Return every selector of series in PromQL, such as `up{job="livraria"}`."""
    nodes: list[Expr] = []
    promql_parser.walk(promql_parser.parse(text), nodes.append)
    return [node for node in nodes if isinstance(node, promql_parser.VectorSelector)]


def operands(text: str) -> list[str]:
    """Return the measured sides of an alert's comparisons; without data in all of them the alert means nothing.

    `a > 0.2 and b >= 5 unless c` is empty while all is well, also where a metric's name is wrong. Its operands are
    a, b and c, which never are. The argument of absent() is one too.
    """
    return [str(operand) for operand in _operands(promql_parser.parse(text))]


def _operands(expr: Expr) -> Iterator[Expr]:
    if isinstance(expr, promql_parser.ParenExpr):
        yield from _operands(expr.expr)
    elif isinstance(expr, promql_parser.BinaryExpr) and str(expr.op) in _JOINING:
        yield from _operands(expr.lhs)
        yield from _operands(expr.rhs)
    elif isinstance(expr, promql_parser.Call) and expr.func.name == "absent":
        yield from expr.args
    elif not _is_constant(expr):
        yield expr


def _is_constant(expr: Expr) -> bool:
    if isinstance(expr, promql_parser.BinaryExpr):
        return _is_constant(expr.lhs) and _is_constant(expr.rhs)
    return isinstance(expr, promql_parser.NumberLiteral)


_SECONDS = {"s": 1, "m": 60, "h": 3600}
_WINDOW = re.compile(r"(\[|for: )(\d+)([smh])\b")


def hurried(rules_text: str, factor: int) -> str:
    """Divide the windows and the patience of a rules file by `factor`; change nothing else.

    `[5m]` and `for: 1m` become `[20s]` and `for: 4s` at 15, so that a test sees in seconds what an operator sees in
    minutes. Thresholds, counts and the rules' names stay.
    """

    def shorten(match: re.Match[str]) -> str:
        seconds = int(match[2]) * _SECONDS[match[3]] / factor
        return f"{match[1]}{max(round(seconds), 1)}s"

    return _WINDOW.sub(shorten, rules_text)
