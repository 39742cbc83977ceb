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
DASHBOARDS = tuple(sorted((ROOT / "grafana" / "dashboards").glob("*.json")))

Expr = Any  # promql_parser's, which has a class for every kind of expression
_JOINING = {"and", "or", "unless", "==", "!=", ">", ">=", "<", "<="}
"""Operators of which each side is something measured, and the whole is empty while all is well."""


@dataclass(frozen=True, slots=True)
class Expression:
    """PromQL, and where it was found."""

    origin: str
    text: str


def read_yaml(path: Path) -> Any:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def rules() -> list[dict[str, Any]]:
    """Every rule of every file; one with a `record` is recorded, one with an `alert` fires."""
    return [rule for path in RULE_FILES for group in read_yaml(path)["groups"] for rule in group["rules"]]


def alerts() -> dict[str, dict[str, Any]]:
    return {rule["alert"]: rule for rule in rules() if "alert" in rule}


def dashboard(path: Path) -> dict[str, Any]:
    read: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return read


def panels(path: Path) -> list[dict[str, Any]]:
    """The panels that show something, rows left out."""
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
    """`text` with Grafana's variables replaced as Grafana does before it asks Prometheus."""
    return text.replace("$__rate_interval", span).replace("$__range", span)


def selectors(text: str) -> list[Expr]:
    """Every selector of series in PromQL, such as `up{job="livraria"}`."""
    found: list[Expr] = []
    promql_parser.walk(promql_parser.parse(text), found.append)
    return [each for each in found if isinstance(each, promql_parser.VectorSelector)]


def operands(text: str) -> list[str]:
    """The measured sides of an alert's comparisons, each of which must have data for the alert to mean anything.

    `a > 0.2 and b >= 5 unless c` is empty while all is well, also where a metric's name is wrong. Its operands are
    a, b and c, which never are. What absent() asks about is one too.
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
    """A rules file with its windows and its patience divided by `factor`, and nothing else changed.

    `[5m]` and `for: 1m` become `[20s]` and `for: 4s` at 15, so that a test sees in seconds what an operator sees in
    minutes. Thresholds, counts and the rules' names stay.
    """

    def shorten(found: re.Match[str]) -> str:
        seconds = int(found[2]) * _SECONDS[found[3]] / factor
        return f"{found[1]}{max(round(seconds), 1)}s"

    return _WINDOW.sub(shorten, rules_text)
