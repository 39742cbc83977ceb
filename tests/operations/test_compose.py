"""compose.yaml, without an engine: the files, ports and settings that it names are there and fit together."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from dotenv import dotenv_values

from app.serve import DRAIN_S
from app.settings import InvalidSettings, read_settings
from tests.support.operators_files import read_yaml
from tests.support.server import ROOT

COMPOSE = ROOT / "compose"
SHELL_VARIABLE = re.compile(r"\$\{(\w+):-(.*?)\}")
PORT_SETTINGS = {"api": "FLASK_APP_PORT", "prometheus": "PROMETHEUS_PORT", "grafana": "GRAFANA_PORT"}
"""The setting that moves a service's port on the machine."""


@pytest.fixture(scope="module")
def composition() -> dict[str, Any]:
    content: dict[str, Any] = read_yaml(ROOT / "compose.yaml")
    return content


def published(composition: dict[str, Any], name: str) -> tuple[str, str, str]:
    """Return the address, the default port on the machine, and the container's port of a service."""
    [mapping] = composition["services"][name]["ports"]
    address, outside, inside = SHELL_VARIABLE.sub(r"\2", mapping).split(":")
    return address, outside, inside


def test_every_service_is_reached_from_this_machine_only(composition: dict[str, Any]) -> None:
    assert {published(composition, name)[0] for name in composition["services"]} == {"127.0.0.1"}


def test_every_service_has_the_port_that_the_documentation_says(composition: dict[str, Any]) -> None:
    text = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    documented = {
        name.lower(): port for name, port in re.findall(r"(\w+) \((\d{4})\)", text.split("brings up the")[1])
    }
    assert documented == {name: published(composition, name)[1] for name in composition["services"]}


def test_ports_follow_the_settings_of_the_same_name(composition: dict[str, Any]) -> None:
    names = {
        name: SHELL_VARIABLE.findall(service["ports"][0]) for name, service in composition["services"].items()
    }
    assert {name: variables[0][0] for name, variables in names.items() if variables} == PORT_SETTINGS


def test_defaults_are_those_of_the_example_settings() -> None:
    defaults = dict(SHELL_VARIABLE.findall((ROOT / "compose.yaml").read_text(encoding="utf-8")))
    example = dotenv_values(ROOT / ".env.example")
    dashboards_own = {"API_USER", "API_PASSWORD", "API_TOKEN"}  # empty: a dashboard that is not logged in
    assert {name: default for name, default in defaults.items() if name not in dashboards_own} == {
        name: example[name] for name in defaults if name not in dashboards_own
    }
    assert {defaults[name] for name in dashboards_own} == {""}


def test_what_is_mounted_is_there(composition: dict[str, Any]) -> None:
    for name, service in composition["services"].items():
        for volume in service.get("volumes", ()):
            source = volume.split(":")[0]
            if source.startswith("."):
                assert (ROOT / source).exists(), name
                assert volume.endswith(":ro,z"), name
            else:
                assert source in composition["volumes"], name


@pytest.mark.parametrize("name", ["livraria", "alertmanager"])
def test_prometheus_looks_for_services_where_they_listen(composition: dict[str, Any], name: str) -> None:
    volumes = composition["services"]["prometheus"]["volumes"]
    assert any(":/etc/prometheus/targets:" in volume for volume in volumes)
    [group] = read_yaml(COMPOSE / "targets" / f"{name}.yml")
    for target in group["targets"]:
        service, port = target.split(":")
        assert published(composition, service)[2] == port


def test_grafana_finds_prometheus_and_the_dashboards(composition: dict[str, Any]) -> None:
    grafana = composition["services"]["grafana"]
    [source] = read_yaml(ROOT / "grafana/provisioning/datasources/prometheus.yml")["datasources"]
    assert source["url"] == "$PROMETHEUS_URL"
    assert grafana["environment"]["PROMETHEUS_URL"] == "http://prometheus:9090"
    [provider] = read_yaml(ROOT / "grafana/provisioning/dashboards/livraria.yml")["providers"]
    assert f"./grafana/dashboards:{provider['options']['path']}:ro,z" in grafana["volumes"]
    home = Path(grafana["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"])
    assert str(home.parent) == provider["options"]["path"]
    assert (ROOT / "grafana" / "dashboards" / home.name).exists()


def test_grafana_is_the_one_that_the_dashboards_are_checked_against(composition: dict[str, Any]) -> None:
    package = json.loads((ROOT / "tests/e2e/operations/grafana-schema/package.json").read_text())
    version = package["dependencies"]["@grafana/schema"]
    assert composition["services"]["grafana"]["image"] == f"grafana/grafana:{version}"


def test_no_two_services_build_one_image(composition: dict[str, Any]) -> None:
    built = [service for service in composition["services"].values() if "build" in service]
    assert len({service["image"] for service in built}) == len(built) == 2
    stages = re.findall(r"^FROM \S+ AS (\w+)$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    assert {service["build"]["target"] for service in built} == {"api", "dashboard"} < set(stages)


def test_a_stop_is_given_longer_than_the_longest_drain(composition: dict[str, Any]) -> None:
    seconds = int(composition["services"]["api"]["stop_grace_period"].removesuffix("s"))
    assert seconds > read_settings({"DRAIN_DELAY_S": "300"}).drain_delay_s + DRAIN_S
    with pytest.raises(InvalidSettings, match="DRAIN_DELAY_S"):
        read_settings({"DRAIN_DELAY_S": "301"})


def test_a_shop_whose_settings_are_refused_is_not_started_for_ever(composition: dict[str, Any]) -> None:
    for name in ("api", "dashboard"):
        assert re.fullmatch(r"on-failure:\d", composition["services"][name]["restart"]), name


def test_images_are_pinned(composition: dict[str, Any]) -> None:
    for name, service in composition["services"].items():
        if "build" not in service:
            assert service["image"].partition(":")[2][-1].isdigit(), name
