"""The software bill of materials: `python -m tools.sbom` writes sbom.cdx.json (CycloneDX 1.6) of what is pinned."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, metadata
from pathlib import Path
from uuid import NAMESPACE_URL, uuid5

from cyclonedx.model.bom import Bom, BomMetaData
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.model.license import DisjunctiveLicense, License, LicenseExpression
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL

from app.version import API_VERSION

ROOT = Path(__file__).parent.parent
SBOM = ROOT / "sbom.cdx.json"
PINNED = ("requirements-build.txt", "requirements.txt")
_BLOCK = re.compile(
    r"^(?P<name>[\w.-]+)(?:\[[\w,-]+\])?==(?P<version>[^\s;]+)(?P<rest>(?:.*\n)(?: .*\n)*)", re.MULTILINE
)
_DEPENDENT = re.compile(r"^    #(?: via|  ) +(?P<name>[\w.-]+)$", re.MULTILINE)


def write_sbom() -> None:
    text: str = JsonV1Dot6(make_bom()).output_as_string(indent=1)
    SBOM.write_text(f"{text}\n", encoding="utf-8")


def make_bom() -> Bom:
    """Return every pinned package with its version, its licence, and what it depends on.

    The hashes of its files are in the requirements files, where pip checks them.
    """
    shop = Component(name="livraria", version=API_VERSION, type=ComponentType.APPLICATION, bom_ref="livraria")
    packages = [(_component(name, version), rest) for name, version, rest in _pinned_packages()]
    versions: dict[str, list[Component]] = {}  # a package's, from which a Python's version chooses
    for component, _ in packages:
        versions.setdefault(component.name, []).append(component)
    pins = " ".join(str(component.purl) for component, _ in packages)
    # The same for the same pins, so that a second run changes nothing.
    bom = Bom(components=[component for component, _ in packages], serial_number=uuid5(NAMESPACE_URL, pins))
    bom.metadata = BomMetaData(component=shop, timestamp=datetime(2026, 1, 1, tzinfo=UTC))
    for component, rest in packages:
        bom.register_dependency(component)
        if "pyproject.toml" in rest:
            bom.register_dependency(shop, [component])
        for name in _DEPENDENT.findall(rest):
            for dependent in versions[name]:
                bom.register_dependency(dependent, [component])
    return bom


def _component(name: str, version: str) -> Component:
    purl = PackageURL("pypi", name=name, version=version)
    return Component(name=name, version=version, purl=purl, bom_ref=str(purl), licenses=_licences(name))


def _pinned_packages() -> Iterator[tuple[str, str, str]]:
    for file in PINNED:
        for match in _BLOCK.finditer((ROOT / file).read_text(encoding="utf-8")):
            yield match["name"], match["version"], match["rest"]


def _licences(package: str) -> list[License]:
    """Return what the installed package says of its licence; nothing where this platform does not install it."""
    try:
        fields = metadata(package)
    except PackageNotFoundError:
        return []
    if fields["License-Expression"]:
        return [LicenseExpression(fields["License-Expression"])]
    classifiers = [line for line in fields.get_all("Classifier") or () if line.startswith("License ::")]
    names = [line.rpartition(" :: ")[2] for line in classifiers] or [fields["License"] or ""]
    return [DisjunctiveLicense(name=name.partition("\n")[0]) for name in names if name]


if __name__ == "__main__":
    write_sbom()
