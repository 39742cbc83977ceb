"""The files that a contributor's editor, hooks and forge read agree with `make check` and `.ci/run`."""

from __future__ import annotations

import os
import tomllib

from packaging.specifiers import SpecifierSet

from tests.support.operators_files import read_yaml
from tests.support.server import ROOT


def test_the_workflow_runs_what_any_machine_can_run() -> None:
    [job] = read_yaml(ROOT / ".github/workflows/ci.yml")["jobs"].values()
    commands = [step["run"] for step in job["steps"] if "run" in step]
    assert commands == [".ci/run"]
    assert os.access(ROOT / commands[0], os.X_OK)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    supported = SpecifierSet(project["requires-python"])
    assert all(version in supported for version in job["strategy"]["matrix"]["python"])


def test_hooks_run_the_linter_of_the_environment_as_make_check_does() -> None:
    [repository] = read_yaml(ROOT / ".pre-commit-config.yaml")["repos"]
    assert repository["repo"] == "local"
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for hook in repository["hooks"]:
        program, command, *_ = hook["entry"].split()
        assert hook["language"] == "system"
        assert program == ".venv/bin/ruff"
        assert f"$(BIN)/ruff {command} " in makefile
