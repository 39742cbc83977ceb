"""compose.yaml and the Dockerfile, without an engine: what they name is there, and fits together."""

from __future__ import annotations

import json
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import pytest

from tests.support.operators_files import read_yaml
from tests.support.server import ROOT

COMPOSE = ROOT / "compose"
OUTSIDE = {
    "api": "${FLASK_APP_PORT:-5000}",
    "dashboard": "8501",
    "prometheus": "${PROMETHEUS_PORT:-9090}",
    "alertmanager": "9093",
    "grafana": "${GRAFANA_PORT:-3001}",
}
"""The port of each service on the machine, with .env's names."""


@pytest.fixture(scope="module")
def composition() -> dict[str, Any]:
    read: dict[str, Any] = read_yaml(ROOT / "compose.yaml")
    return read


def test_every_service_is_reached_from_this_machine_only(composition: dict[str, Any]) -> None:
    for name, outside in OUTSIDE.items():
        [port] = composition["services"][name]["ports"]
        assert port.startswith(f"127.0.0.1:{outside}:"), name
    assert set(composition["services"]) == set(OUTSIDE)


def test_what_is_mounted_is_there(composition: dict[str, Any]) -> None:
    for name, service in composition["services"].items():
        for volume in service.get("volumes", ()):
            source = volume.split(":")[0]
            if source.startswith("."):
                assert (ROOT / source).exists(), name
                assert volume.endswith(":ro"), name
            else:
                assert source in composition["volumes"], name


@pytest.mark.parametrize("name", ["livraria", "alertmanager"])
def test_prometheus_looks_for_services_where_they_listen(composition: dict[str, Any], name: str) -> None:
    assert any(
        ":/etc/prometheus/targets:" in each for each in composition["services"]["prometheus"]["volumes"]
    )
    [group] = read_yaml(COMPOSE / "targets" / f"{name}.yml")
    for target in group["targets"]:
        service, port = target.split(":")
        assert composition["services"][service]["ports"][0].endswith(f":{port}")


def test_grafana_finds_prometheus_and_the_dashboards(composition: dict[str, Any]) -> None:
    grafana = composition["services"]["grafana"]
    [source] = read_yaml(ROOT / "grafana/provisioning/datasources/prometheus.yml")["datasources"]
    assert source["url"] == "$PROMETHEUS_URL"
    assert grafana["environment"]["PROMETHEUS_URL"] == "http://prometheus:9090"
    [provider] = read_yaml(ROOT / "grafana/provisioning/dashboards/livraria.yml")["providers"]
    assert f"./grafana/dashboards:{provider['options']['path']}:ro" in grafana["volumes"]
    home = Path(grafana["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"])
    assert str(home.parent) == provider["options"]["path"]
    assert (ROOT / "grafana" / "dashboards" / home.name).exists()


def test_grafana_is_the_one_that_the_dashboards_are_checked_against(composition: dict[str, Any]) -> None:
    package = json.loads((ROOT / "tests/e2e/operations/grafana-schema/package.json").read_text())
    version = package["dependencies"]["@grafana/schema"]
    assert composition["services"]["grafana"]["image"] == f"grafana/grafana:{version}"


def test_images_are_pinned(composition: dict[str, Any]) -> None:
    for name, service in composition["services"].items():
        if "build" not in service:
            assert service["image"].partition(":")[2][-1].isdigit(), name


def test_the_image_is_given_what_it_runs_and_nothing_secret() -> None:
    """As Docker reads .dockerignore: the last line that matches decides."""
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    patterns = [line for line in lines if line and not line.startswith("#")]

    def inside(path: str) -> bool:
        kept = True
        for pattern in patterns:
            bare = pattern.removeprefix("!")
            if fnmatch(path, bare) or path.startswith(f"{bare}/"):
                kept = pattern.startswith("!")
        return kept

    needed = ["requirements.txt", "run.py", "app/serve.py", "scraper/parse.py", "data/catalogo_demo.csv"]
    needed += ["app/templates/inicio.html", "dashboards/dashboard_unificado.py", ".streamlit/config.toml"]
    assert [path for path in needed if not inside(path)] == []
    assert all((ROOT / path).exists() for path in needed)
    secret = [
        ".env",
        ".git/config",
        "data/livraria.db",
        "data/.jwt_secret",
        ".venv/pyvenv.cfg",
        "tests/conftest.py",
    ]
    assert [path for path in secret if inside(path)] == []


def test_the_image_installs_by_hash_and_drops_root() -> None:
    lines = (ROOT / "Dockerfile").read_text().splitlines()
    instructions = [line.split(maxsplit=1) for line in lines if line and line[0].isupper()]
    assert ["FROM", "python:3.13-slim"] in instructions
    assert any("--require-hashes" in rest for name, rest in instructions if name == "RUN")
    [user] = [rest for name, rest in instructions if name == "USER"]
    assert user not in {"root", "0"}
    names = [name for name, _ in instructions]
    assert names.index("USER") < names.index("HEALTHCHECK") < names.index("CMD")
