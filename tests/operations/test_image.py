"""The Dockerfile and .dockerignore, without an engine."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib
from fnmatch import fnmatch
from itertools import chain
from typing import Any
from urllib.parse import urlsplit

import pytest
from flask import Flask
from packaging.specifiers import SpecifierSet

from app.settings import read_settings
from tests.support.raw_site import http_response, raw_site
from tests.support.server import ROOT

CATALOGUE = "data/catalogo_demo.csv"
SECRET = [
    ".env",
    ".git/config",
    "data/livraria.db",
    "data/.jwt_secret",
    ".venv/pyvenv.cfg",
    "tests/conftest.py",
]
PACKAGES = {"api": {"app", "scraper", "ml"}, "dashboard": {"dashboards"}}
"""The packages of each image; what they import of each other is held by import-linter."""
BASE, DASHBOARD, API = range(3)
"""The stages of the Dockerfile, in their order."""
Instructions = list[tuple[str, str]]


def pyproject() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def is_copied(path: str) -> bool:
    """Read .dockerignore as Docker does: the last pattern that matches decides."""
    lines = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    copied = True
    for pattern in (line for line in lines if line and not line.startswith("#")):
        bare = pattern.removeprefix("!")
        if fnmatch(path, bare) or path.startswith(f"{bare}/"):
            copied = pattern.startswith("!")
    return copied


@pytest.fixture(scope="module")
def stages() -> list[Instructions]:
    """The instructions of each stage in their order, each with its arguments on one line."""
    text = (ROOT / "Dockerfile").read_text(encoding="utf-8").replace("\\\n", " ")
    pairs = [line.partition(" ")[::2] for line in text.splitlines() if line and line[0].isupper()]
    stages: list[Instructions] = []
    for name, arguments in pairs:
        if name == "FROM":
            stages.append([])
        stages[-1].append((name, arguments.strip()))
    return stages


def arguments_of(instructions: Instructions, name: str) -> list[str]:
    return [arguments for instruction, arguments in instructions if instruction == name]


def environment(*stages: Instructions) -> dict[str, str]:
    return dict(
        re.findall(r"(\w+)=(\S+)", " ".join(chain(*(arguments_of(stage, "ENV") for stage in stages))))
    )


def copied_sources(instructions: Instructions) -> set[str]:
    return {source for arguments in arguments_of(instructions, "COPY") for source in arguments.split()[:-1]}


def test_each_stage_begins_with_a_python_that_the_project_supports(stages: list[Instructions]) -> None:
    [base], [dashboard], [api] = (arguments_of(stage, "FROM") for stage in stages)
    match = re.fullmatch(r"python:(\d+\.\d+)-slim AS base", base)
    assert match, f"{base} is not pinned to a minor version"
    assert match[1] in SpecifierSet(pyproject()["project"]["requires-python"])
    assert (dashboard, api) == ("base AS dashboard", "base AS api")


@pytest.mark.parametrize("path", SECRET)
def test_the_images_are_given_nothing_secret(path: str) -> None:
    assert not is_copied(path)


def test_the_images_are_given_nothing_but_what_they_copy(stages: list[Instructions]) -> None:
    sources = copied_sources(stages[DASHBOARD]) | copied_sources(stages[API])
    tops = {source.removeprefix("./").split("/")[0] for source in sources}
    assert {path.name for path in ROOT.iterdir() if is_copied(path.name)} == tops
    assert [source for source in sources if not is_copied(source) or not (ROOT / source).exists()] == []


@pytest.mark.parametrize(("stage", "name"), [(DASHBOARD, "dashboard"), (API, "api")])
def test_an_image_has_its_packages_whole_and_no_other(
    stages: list[Instructions], stage: int, name: str
) -> None:
    packages = set(pyproject()["tool"]["importlinter"]["root_packages"])
    assert copied_sources(stages[stage]) & packages == PACKAGES[name]
    files = [path for package in PACKAGES[name] for path in (ROOT / package).rglob("*") if path.is_file()]
    sources = [path.relative_to(ROOT).as_posix() for path in files if "__pycache__" not in path.parts]
    assert sources
    assert [path for path in sources if not is_copied(path)] == []


def test_the_api_has_the_catalogue_that_it_shows_at_first(stages: list[Instructions]) -> None:
    assert CATALOGUE in copied_sources(stages[API])


@pytest.mark.parametrize(
    ("stage", "files"),
    [
        (DASHBOARD, ["--require-hashes -r requirements-dashboard.txt"]),
        # In this order, and without pip's own environment for builds, whose packages have no hashes.
        (
            API,
            [
                "--require-hashes -r requirements-build.txt",
                "--no-build-isolation --require-hashes -r requirements-api.txt",
            ],
        ),
    ],
)
def test_an_image_installs_by_hash(stages: list[Instructions], stage: int, files: list[str]) -> None:
    commands = chain(*(line.split("&&") for line in arguments_of(stages[stage], "RUN")))
    assert [command.strip() for command in commands if "pip install" in command] == [
        f"pip install {file}" for file in files
    ]


@pytest.mark.parametrize(("stage", "name"), [(DASHBOARD, "dashboard"), (API, "api")])
def test_an_image_compiles_its_own_code(stages: list[Instructions], stage: int, name: str) -> None:
    [command] = [line for line in arguments_of(stages[stage], "RUN") if "compileall" in line]
    assert PACKAGES[name] <= set(command.split())


@pytest.mark.parametrize("stage", [DASHBOARD, API])
def test_an_image_drops_root(stages: list[Instructions], stage: int) -> None:
    [user] = arguments_of(stages[stage], "USER")
    assert user.isdigit()
    assert int(user) > 0
    [useradd] = [line for line in arguments_of(stages[BASE], "RUN") if "useradd" in line]
    assert f"--uid {user} " in useradd
    names = [name for name, _ in stages[stage]]
    assert names.index("USER") < names.index("HEALTHCHECK") < names.index("CMD")


def test_the_api_serves_and_keeps_data_where_its_settings_say(stages: list[Instructions], app: Flask) -> None:
    settings = read_settings(environment(stages[BASE], stages[API]))
    assert settings.host == "0.0.0.0"
    assert arguments_of(stages[API], "EXPOSE") == [str(settings.port)]
    assert arguments_of(stages[API], "VOLUME") == [str(settings.data_dir)]
    app.url_map.bind("localhost").match("/health", "GET")  # raises NotFound


@pytest.mark.parametrize("variables", [{"FLASK_APP_PORT": "%s"}, {"FLASK_APP_PORT": "1", "PORT": "%s"}])
def test_the_probe_of_the_api_follows_the_port(stages: list[Instructions], variables: dict[str, str]) -> None:
    [health] = arguments_of(stages[API], "HEALTHCHECK")
    probe = json.loads(health.partition("CMD ")[2])
    with raw_site({"/health": http_response(200, b"{}")}) as site:
        port = str(urlsplit(site.base_url).port)
        process = subprocess.run(
            [sys.executable, *probe[1:]],
            env={name: value.replace("%s", port) for name, value in variables.items()},
            timeout=30,
        )
    assert process.returncode == 0


def test_the_images_start_programs_that_are_there(stages: list[Instructions]) -> None:
    [api], [dashboard] = arguments_of(stages[API], "CMD"), arguments_of(stages[DASHBOARD], "CMD")
    assert json.loads(api) == ["python", "run.py"]
    assert json.loads(dashboard)[:4] == ["python", "-m", "streamlit", "run"]
    assert (ROOT / json.loads(dashboard)[4]).is_file()
