"""The rules, by promtool: they are valid, and each alert fires, is silent and recovers on made-up figures."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.support.operators_files import ALERT_TESTS, CONFIG, RULE_FILES
from tests.support.programs import need
from tests.support.server import ROOT


def promtool(*arguments: object) -> str:
    """Return the output of promtool; AssertionError with it where the exit code is not 0."""
    program = need("promtool", debian_package="prometheus")
    process = subprocess.run(
        [program, *map(str, arguments)], cwd=ROOT, capture_output=True, text=True, timeout=300, check=False
    )
    assert process.returncode == 0, process.stdout + process.stderr
    return process.stdout


def test_the_configuration_is_valid() -> None:
    assert f"{len(RULE_FILES)} rule files found" in promtool("check", "config", CONFIG)


def test_the_rules_are_valid() -> None:
    promtool("check", "rules", *RULE_FILES)


@pytest.mark.parametrize("path", ALERT_TESTS, ids=lambda path: path.stem)
def test_the_alerts_fire_and_recover_on_made_up_figures(path: Path) -> None:
    promtool("test", "rules", path)
