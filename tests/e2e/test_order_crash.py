"""The shop killed at every statement of placing, cancelling and returning an order."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.support.server import ROOT

START = {"0": 15, "1": 10}
SOLD = {"0": 12, "1": 8}
STOCK_OF = {"pending": SOLD, "delivered": SOLD}  # any other state has given its copies back


def crash_everywhere(scenario: str, ready_data: Path, tmp_path: Path) -> dict[str, Any]:
    """What every single death left behind, checked for what must hold whatever was going on."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.support.crash_lab", str(ready_data), str(tmp_path), scenario],
        cwd=ROOT, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    report: dict[str, Any] = json.loads(done.stdout)
    crashes = report["crashes"]
    assert report["start"]["stocks"] == START
    assert len(crashes) == report["ended"]["boundaries"] >= 20, "a death at each boundary, and there are many"
    for crash in crashes:
        assert crash["mismatches"] == crash["finally_mismatches"] == []
        assert "awaiting_payment" not in crash["settled"]
        live = [STOCK_OF[status] for status in crash["settled"] if status in STOCK_OF]
        assert crash["stocks"] == (live[0] if live else START)
        assert crash["again"] == report["ended"]["status"], (
            "who tries again is answered as if nothing had been"
        )
    return report


def test_placing_an_order_survives_a_kill_at_every_statement(ready_data: Path, tmp_path: Path) -> None:
    report = crash_everywhere("place", ready_data, tmp_path)
    assert report["ended"]["status"] == 201
    found = [crash["found"] for crash in report["crashes"]]
    assert [] in found
    assert ["awaiting_payment"] in found
    assert ["pending"] in found, "the deaths were before, between and after the two transactions"
    assert {str(crash["settled"]) for crash in report["crashes"]} == {"[]", "['failed']", "['pending']"}
    for crash in report["crashes"]:
        placed = [order for order in crash["finally"] if order == ["pending", "approved"]]
        assert len(placed) == 1, "one key, one order"
        assert crash["finally_stocks"] == SOLD
        assert all(payment in ("approved", "voided") for _, payment in crash["finally"])


def test_a_denied_order_survives_a_kill_at_every_statement(ready_data: Path, tmp_path: Path) -> None:
    report = crash_everywhere("deny", ready_data, tmp_path)
    assert report["ended"]["status"] == 402
    assert all(crash["finally_stocks"] == START for crash in report["crashes"])


@pytest.mark.parametrize(
    ("scenario", "before", "after"),
    [("cancel", "pending", "cancelled"), ("return", "delivered", "returned")],
)
def test_giving_the_copies_back_survives_a_kill_at_every_statement(
    scenario: str, before: str, after: str, ready_data: Path, tmp_path: Path
) -> None:
    report = crash_everywhere(scenario, ready_data, tmp_path)
    assert {str(crash["found"]) for crash in report["crashes"]} == {f"['{before}']", f"['{after}']"}
    for crash in report["crashes"]:
        assert crash["finally"] == [[after, "voided"]]
        assert crash["finally_stocks"] == START, "the copies come back once, however often it is asked for"
