"""The Dockerfile and .dockerignore, without an engine."""

from __future__ import annotations

import json
import re
import tomllib
from fnmatch import fnmatch
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from flask import Flask
from packaging.specifiers import SpecifierSet

from app.settings import read_settings
from tests.support.server import ROOT

MODULES = {path.name for path in ROOT.glob("*.py")}
PROGRAM = MODULES | {"requirements.txt", "requirements-build.txt", ".streamlit", "LICENSE", "NOTICE"}
CATALOGUE = "data/catalogo_demo.csv"
SECRET = [
    ".env",
    ".git/config",
    "data/livraria.db",
    "data/.jwt_secret",
    ".venv/pyvenv.cfg",
    "tests/conftest.py",
]


def pyproject() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def packages() -> set[str]:
    return set(pyproject()["tool"]["importlinter"]["root_packages"])


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
def instructions() -> list[tuple[str, str]]:
    """The Dockerfile's instructions in their order, each with its arguments on one line."""
    text = (ROOT / "Dockerfile").read_text(encoding="utf-8").replace("\\\n", " ")
    pairs = [line.partition(" ")[::2] for line in text.splitlines() if line and line[0].isupper()]
    return [(name, arguments.strip()) for name, arguments in pairs]


def arguments_of(instructions: list[tuple[str, str]], name: str) -> list[str]:
    return [arguments for instruction, arguments in instructions if instruction == name]


def environment(instructions: list[tuple[str, str]]) -> dict[str, str]:
    return dict(re.findall(r"(\w+)=(\S+)", " ".join(arguments_of(instructions, "ENV"))))


@pytest.mark.parametrize("package", sorted(packages()))
def test_the_image_is_given_every_file_of_a_package(package: str) -> None:
    files = [path.relative_to(ROOT).as_posix() for path in (ROOT / package).rglob("*") if path.is_file()]
    sources = [path for path in files if "__pycache__" not in path]
    assert sources
    assert [path for path in sources if not is_copied(path)] == []


def test_the_image_is_given_what_the_packages_need() -> None:
    needed = PROGRAM | {CATALOGUE, ".streamlit/config.toml", "app/templates/inicio.html"}
    assert [path for path in needed if not is_copied(path)] == []
    assert [path for path in needed if not (ROOT / path).exists()] == []


def test_the_image_is_given_nothing_secret() -> None:
    assert [path for path in SECRET if is_copied(path)] == []


def test_the_image_is_given_nothing_else() -> None:
    top_level = {path.name for path in ROOT.iterdir()}
    assert {name for name in top_level if is_copied(name)} <= packages() | PROGRAM | {"data"}


def test_the_image_has_a_python_that_the_project_supports(instructions: list[tuple[str, str]]) -> None:
    [base] = arguments_of(instructions, "FROM")
    match = re.fullmatch(r"python:(\d+\.\d+)-slim", base)
    assert match, f"{base} is not pinned to a minor version"
    assert match[1] in SpecifierSet(pyproject()["project"]["requires-python"])


def test_the_image_installs_by_hash(instructions: list[tuple[str, str]]) -> None:
    installs = [
        command.strip()
        for line in arguments_of(instructions, "RUN")
        for command in line.split("&&")
        if "pip install" in command
    ]
    # In this order, and without pip's own environment for builds, whose packages have no hashes.
    assert installs == [
        "pip install --require-hashes -r requirements-build.txt",
        "pip install --no-build-isolation --require-hashes -r requirements.txt",
    ]


def test_the_image_drops_root(instructions: list[tuple[str, str]]) -> None:
    [user] = arguments_of(instructions, "USER")
    assert user.isdigit()
    assert int(user) > 0
    [useradd] = [line for line in arguments_of(instructions, "RUN") if "useradd" in line]
    assert f"--uid {user} " in useradd
    names = [name for name, _ in instructions]
    assert names.index("USER") < names.index("HEALTHCHECK") < names.index("CMD")


def test_the_image_serves_and_keeps_data_where_its_settings_say(
    instructions: list[tuple[str, str]], app: Flask
) -> None:
    settings = read_settings(environment(instructions))
    assert settings.host == "0.0.0.0"
    assert arguments_of(instructions, "EXPOSE") == [str(settings.port)]
    assert arguments_of(instructions, "VOLUME") == [str(settings.data_dir)]
    [health] = arguments_of(instructions, "HEALTHCHECK")
    match = re.search(r"urlopen\('([^']+)'", health)
    assert match
    url = urlsplit(match[1])
    assert (url.hostname, url.port) == ("127.0.0.1", settings.port)
    app.url_map.bind("localhost").match(url.path, "GET")  # raises NotFound


def test_the_image_starts_a_program_that_is_there(instructions: list[tuple[str, str]]) -> None:
    [command] = arguments_of(instructions, "CMD")
    python, program = json.loads(command)
    assert python == "python"
    assert (ROOT / Path(program)).exists()
