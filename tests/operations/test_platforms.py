"""Procfile, render.yaml and fly.toml, without their platforms: what they name is there and fits together."""

from __future__ import annotations

import re
import shlex
import tomllib
from dataclasses import fields
from typing import Any

import pytest
from flask import Flask
from packaging.specifiers import SpecifierSet

from app.serve import DRAIN_S
from app.settings import InvalidSettings, Settings, read_settings
from tests.support.operators_files import read_yaml
from tests.support.server import ROOT

SECRETS = {"JWT_SECRET_KEY", "API_KEY_REQUIRED", "ADMIN_PASSWORD"}
"""What production needs, and no file of ours may have."""
MADE_UP = dict.fromkeys(SECRETS, "a secret of forty bytes, only for tests!")
SETTINGS = {setting.metadata["name"] for setting in fields(Settings)}
DASHBOARD_VARIABLES = {"API_URL", "API_USER", "API_PASSWORD", "PYTHON_VERSION"}


@pytest.fixture(scope="module")
def render() -> dict[str, dict[str, Any]]:
    return {service["name"]: service for service in read_yaml(ROOT / "render.yaml")["services"]}


@pytest.fixture(scope="module")
def fly() -> dict[str, Any]:
    return tomllib.loads((ROOT / "fly.toml").read_text(encoding="utf-8"))


def variables(service: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {variable["key"]: variable for variable in service["envVars"]}


def values(service: dict[str, Any]) -> dict[str, str]:
    named = variables(service)
    return {name: variable["value"] for name, variable in named.items() if "value" in variable}


def serves(app: Flask, path: str) -> None:
    app.url_map.bind("localhost").match(path, "GET")  # raises NotFound


def test_the_procfile_serves_every_interface_on_the_platforms_port() -> None:
    name, _, command = (ROOT / "Procfile").read_text().strip().partition(": ")
    assert name == "web"
    host, program, script = shlex.split(command)
    assert (program, (ROOT / script).is_file()) == ("python", True)
    settings = read_settings(dict([host.split("=")]) | {"PORT": "8080"})
    assert (settings.host, settings.port) == ("0.0.0.0", 8080)


def test_render_runs_the_api_as_production_asks(render: dict[str, dict[str, Any]], app: Flask) -> None:
    api = render["livraria"]
    assert (api["runtime"], api["dockerfilePath"]) == ("docker", "./Dockerfile")
    last_stage = re.findall(r"^FROM \S+ AS (\w+)$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)[-1]
    assert last_stage == "api", "Render builds the last one"
    serves(app, api["healthCheckPath"])
    assert set(variables(api)) <= SETTINGS
    settings = read_settings(values(api) | MADE_UP | {"PORT": "10000"})
    assert (settings.production, settings.host, settings.port) == (True, "0.0.0.0", 10000)
    assert api["maxShutdownDelaySeconds"] > settings.drain_delay_s + DRAIN_S


def test_render_makes_the_secrets_itself(render: dict[str, dict[str, Any]]) -> None:
    named = variables(render["livraria"])
    assert {name for name, variable in named.items() if variable.get("generateValue") is True} == SECRETS


def test_render_runs_the_dashboard_beside_it(render: dict[str, dict[str, Any]]) -> None:
    dashboard = render["livraria-painel"]
    assert set(variables(dashboard)) == DASHBOARD_VARIABLES
    assert variables(dashboard)["API_URL"]["fromService"]["name"] in render
    script = shlex.split(dashboard["startCommand"])[4]
    assert (ROOT / script).is_file()
    assert "--server.port=$PORT" in dashboard["startCommand"]
    requirements = shlex.split(dashboard["buildCommand"])[-1]
    assert (ROOT / requirements).is_file()
    supported = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["requires-python"]
    assert values(dashboard)["PYTHON_VERSION"] in SpecifierSet(supported)


def test_fly_runs_the_api_as_production_asks(fly: dict[str, Any], app: Flask) -> None:
    stages = re.findall(r"^FROM \S+ AS (\w+)$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    assert fly["build"]["build-target"] in stages
    [check] = fly["http_service"]["checks"]
    serves(app, check["path"])
    assert set(fly["env"]) <= SETTINGS - SECRETS
    settings = read_settings(fly["env"] | MADE_UP)
    assert (settings.production, settings.host) == (True, "0.0.0.0")
    assert settings.port == fly["http_service"]["internal_port"]
    assert fly["kill_timeout"] > settings.drain_delay_s + DRAIN_S
    assert fly["kill_signal"] == "SIGTERM"


@pytest.mark.parametrize("missing", sorted(SECRETS))
def test_a_platform_without_a_secret_serves_nothing(fly: dict[str, Any], missing: str) -> None:
    with pytest.raises(InvalidSettings, match=missing):
        read_settings({name: value for name, value in (fly["env"] | MADE_UP).items() if name != missing})


@pytest.mark.parametrize("name", ["Procfile", "render.yaml", "fly.toml"])
def test_no_file_has_a_secret(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    assert re.findall(rf"(?:{'|'.join(SECRETS)}) *[=:] *(?!\$\(|\.\.\.)\S+", text) == []
