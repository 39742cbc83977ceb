"""The systemd units, read by systemd itself."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.support.programs import need
from tests.support.server import ROOT

UNITS = sorted((ROOT / "systemd").iterdir())
MAX_EXPOSURE = 20
"""Tenths of systemd's own scale from 0, which allows nothing, to 10."""


@pytest.fixture
def units(tmp_path: Path) -> list[Path]:
    """Copies of the units, for a shop that is installed where this one is."""
    copies = []
    for unit in UNITS:
        copy = tmp_path / unit.name
        copy.write_text(
            unit.read_text(encoding="utf-8").replace("/opt/livraria", str(ROOT)), encoding="utf-8"
        )
        copies.append(copy)
    return copies


def analyze(*arguments: object) -> subprocess.CompletedProcess[str]:
    program = need("systemd-analyze", debian_package="systemd")
    command = [program, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60)


def test_systemd_finds_no_fault_in_the_units(units: list[Path]) -> None:
    result = analyze("verify", "--man=no", *units)
    assert (result.returncode, result.stderr) == (0, "")


def test_the_shop_is_allowed_little(units: list[Path]) -> None:
    [shop] = [unit for unit in units if unit.name == "livraria.service"]
    result = analyze("security", "--offline=yes", f"--threshold={MAX_EXPOSURE}", shop)
    assert result.returncode == 0, result.stdout


def test_the_units_ask_for_the_commands_that_exist() -> None:
    texts = {unit.name: unit.read_text(encoding="utf-8") for unit in UNITS}
    assert "/.venv/bin/python run.py" in texts["livraria.service"]
    assert "/.venv/bin/flask backup " in texts["livraria-backup.service"]
    assert set(texts) == {"livraria.service", "livraria-backup.service", "livraria-backup.timer"}
