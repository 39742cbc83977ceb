"""The alerts, as files: each is tested, says what to do, and names only what is there. promtool is in tests/e2e."""

from __future__ import annotations

import re
from collections import defaultdict
from pathlib import Path

import pytest
from dotenv import dotenv_values
from flask import Flask

from tests.support.operators_files import ALERT_TESTS, DASHBOARDS, alerts, dashboard, read_yaml, rules
from tests.support.server import ROOT

RUNBOOK = "docs/alerts.md"
LOG_FIELDS = {"request_id"}


def sentences(text: str) -> list[str]:
    return re.split(r"[.:;] ", text)


def descriptions() -> str:
    return "\n".join(alert["annotations"]["description"] for alert in alerts().values())


def runbook() -> str:
    return (ROOT / RUNBOOK).read_text(encoding="utf-8")


def test_each_alert_is_tested_silent_firing_and_silent_again() -> None:
    states: dict[str, list[bool]] = defaultdict(list)
    for path in ALERT_TESTS:
        for test in read_yaml(path)["tests"]:
            samples = [
                str(check["exp_samples"])
                for check in test["promql_expr_test"]
                if check["expr"].startswith("ALERTS{")
            ]
            firing = [re.findall(r'alertname="(\w+)"', text) for text in samples]
            for alert in {alert for names in firing for alert in names}:
                states[alert].extend(alert in names for names in firing)
    for alert in alerts():
        sequence = "".join("F" if fires else "-" for fires in states[alert])
        assert re.search(r"-F+-", sequence), f"{alert}: {sequence}"
    assert set(states) == set(alerts())


@pytest.mark.parametrize("name", alerts())
def test_each_alert_says_what_to_do(name: str) -> None:
    alert = alerts()[name]
    assert alert["labels"]["severity"] in {"critical", "warning", "info"}
    assert alert["annotations"]["summary"]
    assert len(sentences(alert["annotations"]["description"])) > 1, "what is the next step?"
    assert alert["annotations"]["runbook"] == f"{RUNBOOK}#{name.lower()}"
    assert f"## {name}\n" in runbook()


def test_the_runbook_has_a_section_for_each_alert_and_no_other() -> None:
    assert re.findall(r"^## (.+)$", runbook(), re.MULTILINE) == list(alerts())


def test_settings_named_by_the_alerts_exist() -> None:
    names = set(re.findall(r"\b[A-Z]+(?:_[A-Z]+)+\b", descriptions() + runbook()))
    assert names
    assert names - set(dotenv_values(ROOT / ".env.example")) == set()


def test_dashboards_named_by_the_alerts_exist() -> None:
    titles = {str(dashboard(path)["title"]).removeprefix("Livraria: ") for path in DASHBOARDS}
    names = re.findall(r'"([A-Z][^"=]+)"', descriptions() + runbook())
    assert names
    assert {" ".join(name.lower().split()) for name in names} <= titles


def test_routes_named_by_the_alerts_exist(app: Flask) -> None:
    routes = re.findall(r"\b(GET|POST|PUT) (/[\w/<>-]+)", descriptions() + runbook())
    assert routes
    urls = app.url_map.bind("localhost")
    for method, path in routes:
        urls.match(re.sub(r"<\w+>", "1", path), method)  # raises NotFound or MethodNotAllowed


def test_log_events_named_by_the_alerts_are_logged() -> None:
    sources = "".join(path.read_text(encoding="utf-8") for path in Path(ROOT / "app").rglob("*.py"))
    spans = re.findall(r"`([a-z]+(?:_[a-z]+)+)`", runbook())
    names = set(re.findall(r"\b[a-z]+(?:_[a-z]+)+\b", descriptions())) | set(spans)
    assert "request_crashed" in names
    assert [name for name in names - LOG_FIELDS if f'"{name}"' not in sources] == []


def test_what_is_recorded_is_used() -> None:
    """An unused recording rule costs for nothing, and a misspelt one is never read."""
    readers = [rule["expr"] for rule in rules()]
    readers += [path.read_text(encoding="utf-8") for path in (ROOT / "grafana" / "dashboards").glob("*.json")]
    recorded = {rule["record"] for rule in rules() if "record" in rule}
    read = {name for text in readers for name in re.findall(r"\blivraria:\w+:\w+", text)}
    assert read == recorded
