"""The project's version is stated in one place."""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.version import API_VERSION
from scraper import __version__
from scraper.fetch import USER_AGENT
from tests.support.server import ROOT

STATEMENT = Path("scraper/__init__.py")
NAME = re.compile(r"(__|api_|app_|project_)?version(__)?", re.IGNORECASE)  # not that of a protocol or format
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
SOURCES = [
    path.relative_to(ROOT)
    for package in PROJECT["tool"]["importlinter"]["root_packages"]
    for path in (ROOT / package).rglob("*.py")
]
OTHERS = [
    Path(name)
    for name in (
        "run.py",
        "environment.py",
        "operating_system.py",
        "Dockerfile",
        "compose.yaml",
        "Makefile",
        "README.md",
        "pyproject.toml",
    )
]


def version_literals(source: str) -> Iterator[str]:
    """Yield the names of versions that are assigned a literal."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Assign | ast.AnnAssign) and isinstance(node.value, ast.Constant):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            names = [target.id for target in targets if isinstance(target, ast.Name)]
            if isinstance(node.value.value, str):
                yield from (name for name in names if NAME.fullmatch(name))


def test_everything_that_shows_a_version_reads_the_one_statement() -> None:
    assert __version__ == API_VERSION
    assert USER_AGENT.startswith(f"livraria-scraper/{__version__} (")
    assert PROJECT["project"]["dynamic"] == ["version"]
    assert "version" not in PROJECT["project"]
    assert PROJECT["tool"]["setuptools"]["dynamic"]["version"] == {"attr": "scraper.__version__"}


def test_the_newest_release_of_the_changelog_is_this_version() -> None:
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    releases = re.findall(r"^## (\d+\.\d+\.\d+) - \d{4}-\d{2}-\d{2}$", changelog, re.MULTILINE)
    assert releases[0] == __version__


def test_no_other_file_states_the_version() -> None:
    statement = re.compile(rf"(?<![\w.]){re.escape(__version__)}(?![\w.])")
    files = [
        path for path in [*SOURCES, *OTHERS] if statement.search((ROOT / path).read_text(encoding="utf-8"))
    ]
    assert files == [STATEMENT]


def test_no_other_module_assigns_a_version() -> None:
    assigned = {path: set(version_literals((ROOT / path).read_text(encoding="utf-8"))) for path in SOURCES}
    assert {path: names for path, names in assigned.items() if names} == {STATEMENT: {"__version__"}}


@pytest.mark.parametrize("source", ['API_VERSION = "2.1"', 'version: str = "2.1"'])
def test_an_assigned_version_is_noticed(source: str) -> None:
    assert list(version_literals(source))
