"""What is installed: pinned, checked by hash, and listed."""

from __future__ import annotations

import json
import re
import tomllib
from itertools import chain
from typing import Any

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from tests.support.server import ROOT
from tools.sbom import PINNED, SBOM

PARTS = ["requirements-api.txt", "requirements-dashboard.txt"]
FILES = [*PINNED, *PARTS, "requirements-dev.txt", "requirements-bench.txt"]


def pins(file: str) -> dict[str, str]:
    """Return the lines of each pinned package, by its name and version."""
    text = (ROOT / file).read_text(encoding="utf-8")
    blocks = re.split(r"^(?=[a-z])", text, flags=re.MULTILINE)[1:]
    return {re.split(r"[\s;]", block)[0]: block for block in blocks}


@pytest.fixture(scope="module")
def sbom() -> dict[str, Any]:
    document: dict[str, Any] = json.loads(SBOM.read_text(encoding="utf-8"))
    return document


@pytest.mark.parametrize("file", FILES)
def test_every_package_has_one_version_and_hashes(file: str) -> None:
    assert pins(file)
    for package, block in pins(file).items():
        assert re.fullmatch(r"[\w.\[\],-]+==[\w.+!]+", package), package
        assert "--hash=sha256:" in block, package


@pytest.mark.parametrize("file", PARTS)
def test_a_part_is_pinned_as_the_whole_is(file: str) -> None:
    assert pins(file).keys() < pins("requirements.txt").keys()


def test_each_part_leaves_out_what_weighs_and_is_the_others_alone() -> None:
    parts = {file: {re.split(r"==|\[", name)[0] for name in pins(file)} for file in PARTS}
    assert not parts["requirements-api.txt"] & {"streamlit", "pyarrow", "altair"}
    assert not parts["requirements-dashboard.txt"] & {"scikit-learn", "scipy", "flask", "sqlalchemy"}


def test_the_build_tools_of_the_package_that_comes_as_source_are_pinned_too() -> None:
    assert [name.partition("==")[0] for name in pins("requirements-build.txt")] == ["setuptools"]
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert "--no-build-isolation -r requirements.txt" in makefile


def test_the_bill_of_materials_lists_what_is_pinned(sbom: dict[str, Any]) -> None:
    listed = {f"{component['name']}=={component['version']}" for component in sbom["components"]}
    assert listed == {re.sub(r"\[.*]", "", package) for file in PINNED for package in pins(file)}


def test_the_bill_of_materials_is_valid() -> None:
    error = JsonStrictValidator(SchemaVersion.V1_6).validate_str(SBOM.read_text(encoding="utf-8"))
    assert error is None


def test_the_bill_of_materials_names_the_packages_that_the_shop_asks_for(sbom: dict[str, Any]) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = {*project["dependencies"], *chain(*project["optional-dependencies"].values())}
    [direct] = [entry["dependsOn"] for entry in sbom["dependencies"] if entry["ref"] == "livraria"]
    named = {re.sub(r"pkg:pypi/|@.*", "", reference) for reference in direct}
    assert named == {re.sub(r"\[.*]", "", name) for name in wanted} | {"setuptools"}
