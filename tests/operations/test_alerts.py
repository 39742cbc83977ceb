"""The rules, by promtool: they are valid, and each alert fires, is silent and recovers on made-up figures."""

from __future__ import annotations

import re
import subprocess
from collections import defaultdict
from pathlib import Path

import pytest

from tests.support.operators_files import ALERTS, CONFIG, RULE_FILES, alerts, read_yaml, rules
from tests.support.programs import need
from tests.support.server import ROOT

UNIT_TESTS = tuple(sorted((ALERTS / "tests").glob("*.yml")))
RUNBOOK = "docs/alerts.md"


def promtool(*arguments: object) -> str:
    """What promtool says to a good end; AssertionError with it otherwise."""
    program = need("promtool", debian_package="prometheus")
    done = subprocess.run(
        [program, *map(str, arguments)], cwd=ROOT, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_configuration_is_valid() -> None:
    assert f"{len(RULE_FILES)} rule files found" in promtool("check", "config", CONFIG)


def test_the_rules_are_valid() -> None:
    promtool("check", "rules", *RULE_FILES)


@pytest.mark.parametrize("path", UNIT_TESTS, ids=lambda path: path.stem)
def test_the_alerts_fire_and_recover_on_made_up_figures(path: Path) -> None:
    promtool("test", "rules", path)


def test_each_alert_is_tested_silent_firing_and_silent_again() -> None:
    seen: dict[str, list[bool]] = defaultdict(list)
    for path in UNIT_TESTS:
        for test in read_yaml(path)["tests"]:
            looks = [look for look in test["promql_expr_test"] if look["expr"].startswith("ALERTS{")]
            firing = [re.findall(r'alertname="(\w+)"', str(look["exp_samples"])) for look in looks]
            for alert in {alert for look in firing for alert in look}:
                seen[alert].extend(alert in look for look in firing)
    for alert in alerts():
        told = "".join("F" if fires else "-" for fires in seen[alert])
        assert re.search(r"-F+-", told), f"{alert}: {told}"
    assert set(seen) == set(alerts())


@pytest.mark.parametrize("name", alerts())
def test_each_alert_says_what_to_do(name: str) -> None:
    alert = alerts()[name]
    assert alert["labels"]["severity"] in {"critical", "warning", "info"}
    assert alert["annotations"]["summary"]
    assert len(alert["annotations"]["description"]) > 80, "what is the next step?"
    assert alert["annotations"]["runbook"] == f"{RUNBOOK}#{name.lower()}"
    assert f"## {name}\n" in (ROOT / RUNBOOK).read_text(encoding="utf-8")


def test_what_is_recorded_is_used() -> None:
    """A recording rule that nobody reads costs for nothing, and one that is misspelt is read by nobody."""
    readers = [rule["expr"] for rule in rules()]
    readers += [path.read_text(encoding="utf-8") for path in (ROOT / "grafana" / "dashboards").glob("*.json")]
    recorded = {rule["record"] for rule in rules() if "record" in rule}
    read = {name for text in readers for name in re.findall(r"\blivraria:\w+:\w+", text)}
    assert read == recorded
