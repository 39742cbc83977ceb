"""The licence, and the notice for dependencies whose licence asks for one."""

from __future__ import annotations

import re
import tomllib
from importlib.metadata import PackageNotFoundError, metadata

import pytest

from tests.support.server import ROOT

REQUIREMENTS = re.findall(
    r"^([\w.-]+)==", (ROOT / "requirements.txt").read_text(encoding="utf-8"), re.MULTILINE
)


def licence(package: str) -> str:
    """Return what the installed package says of its licence; empty where this platform does not install it."""
    try:
        fields = metadata(package)
    except PackageNotFoundError:
        return ""
    classifiers = [line for line in fields.get_all("Classifier") or () if line.startswith("License ::")]
    return " ".join([*(fields.get_all("License-Expression") or ()), *classifiers])


@pytest.mark.parametrize(("family", "pattern"), [("GPL", r"GPL|General Public"), ("MPL", r"MPL|Mozilla")])
def test_the_notice_names_every_dependency_with_a_copyleft_licence(family: str, pattern: str) -> None:
    packages = {package for package in REQUIREMENTS if re.search(pattern, licence(package))}
    notice = set(re.findall(r"[\w-]+", (ROOT / "NOTICE").read_text(encoding="utf-8")))
    assert packages, f"no dependency under a licence of the {family} family"
    assert packages - notice == set()


def test_the_project_is_under_the_licence_that_it_states() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert (ROOT / "LICENSE").read_text(encoding="utf-8").startswith(f"{project['license']} License")
    assert all((ROOT / path).exists() for path in [project["readme"], *project["license-files"]])
