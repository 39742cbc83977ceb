"""The series that panels and rules query exist in the shop's exposition, without a Prometheus."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.support.operators_files import (
    Expression,
    concrete,
    panel_expressions,
    rule_expressions,
    rules,
    selectors,
)

PROMETHEUS_OWN = {"up", "ALERTS"}
SUFFIXES = {"histogram": ("_bucket", "_count", "_sum")}
EVERYTHING = [
    Expression(expression.origin, concrete(expression.text))
    for expression in (*panel_expressions(), *rule_expressions())
]


def unknown_series(expressions: Iterable[Expression], exposition: str) -> dict[str, str]:
    """Return the series that neither `exposition` nor Prometheus nor a rule has, each with the place of a query."""
    known = PROMETHEUS_OWN | {rule["record"] for rule in rules() if "record" in rule}
    for name, kind in re.findall(r"^# TYPE (\w+) (\w+)$", exposition, re.MULTILINE):
        known |= {name + suffix for suffix in SUFFIXES.get(kind, ("",))}
    return {
        selector.name: expression.origin
        for expression in expressions
        for selector in selectors(expression.text)
        if selector.name not in known
    }


def test_every_queried_series_has_a_name_that_the_shop_exposes(client: FlaskClient) -> None:
    exposition = client.get("/metrics").get_data(as_text=True)
    assert unknown_series(EVERYTHING, exposition) == {}


@pytest.mark.parametrize(
    "name", ["livraria_model_version", "livraria_predictions_total", "api_requests_total"]
)
def test_a_metric_that_is_renamed_is_noticed(client: FlaskClient, name: str) -> None:
    exposition = client.get("/metrics").get_data(as_text=True)
    assert list(unknown_series(EVERYTHING, exposition.replace(name, f"{name}s"))) == [name]


def takes(selector: Any, label: str, value: str) -> bool:
    """Return whether `selector` selects series that have `value` as their `label`."""
    for matcher in selector.matchers.matchers:
        if matcher.name == label:
            kind = str(matcher.op)  # MatchOp.Equal, .NotEqual, .Re or .NotRe
            pattern = matcher.value if kind.endswith("Re") else re.escape(matcher.value)
            if bool(re.fullmatch(pattern, value)) == (".Not" in kind):
                return False
    return True


@pytest.mark.parametrize(
    ("family", "label"),
    [("api_request_latency_seconds", "endpoint"), ("flask_http_request_duration_seconds", "path")],
)
def test_following_the_log_makes_no_panel_and_no_rule_look_slow(family: str, label: str) -> None:
    """That response lasts as long as its reader likes, up to a minute."""
    queried = [
        (expression.origin, selector) for expression in EVERYTHING for selector in selectors(expression.text)
    ]
    timed = [(origin, selector) for origin, selector in queried if selector.name.startswith(family)]
    assert timed
    assert [origin for origin, selector in timed if takes(selector, label, "/api/v1/logs")] == []
