"""The shop killed at every statement of placing, cancelling and returning an order."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import create_database
from tests.support.server import ROOT

START = {"0": 15, "1": 10}
SOLD = {"0": 12, "1": 8}
STOCK_OF = {"pending": SOLD, "delivered": SOLD}  # any other state has given its copies back


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def reports(
    request: pytest.FixtureRequest, ready_data: Path, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Any]:
    """The report of every scenario."""
    work = tmp_path_factory.mktemp("crashes")
    arguments = [str(ready_data), str(work)]
    if request.param == "postgresql":
        arguments.append(create_database(request.getfixturevalue("postgresql")))
    lab = subprocess.run(
        [sys.executable, "-m", "tests.support.crash_lab", *arguments],
        cwd=ROOT, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert lab.returncode == 0, lab.stderr
    reports: dict[str, Any] = json.loads(lab.stdout)
    return reports


def check(report: dict[str, Any]) -> None:
    """Check what must hold after every crash of every scenario."""
    crashes = report["crashes"]
    assert report["start"]["stocks"] == START
    assert len(crashes) == report["whole"]["boundaries"] >= 20, "a crash at each boundary, and there are many"
    for crash in crashes:
        assert crash["mismatches"] == crash["finally_mismatches"] == []
        assert "awaiting_payment" not in crash["reconciled"]
        stocks = [STOCK_OF[status] for status in crash["reconciled"] if status in STOCK_OF]
        assert crash["stocks"] == (stocks[0] if stocks else START)
        assert crash["repeated"] == report["whole"]["status"], (
            "a repeated request succeeds as the first would"
        )


def test_placing_an_order_survives_a_kill_at_every_statement(reports: dict[str, Any]) -> None:
    report = reports["place"]
    check(report)
    assert report["whole"]["status"] == 201
    crashed = [crash["crashed"] for crash in report["crashes"]]
    assert [] in crashed
    assert ["awaiting_payment"] in crashed
    assert ["pending"] in crashed, "the deaths were before, between and after the two transactions"
    assert {str(crash["reconciled"]) for crash in report["crashes"]} == {"[]", "['failed']", "['pending']"}
    for crash in report["crashes"]:
        placed = [order for order in crash["finally"] if order == ["pending", "approved"]]
        assert len(placed) == 1, "one key, one order"
        assert crash["finally_stocks"] == SOLD
        assert all(payment in ("approved", "voided") for _, payment in crash["finally"])


def test_a_denied_order_survives_a_kill_at_every_statement(reports: dict[str, Any]) -> None:
    report = reports["deny"]
    check(report)
    assert report["whole"]["status"] == 402
    assert all(crash["finally_stocks"] == START for crash in report["crashes"])


@pytest.mark.parametrize(
    ("scenario", "before", "after"),
    [("cancel", "pending", "cancelled"), ("return", "delivered", "returned")],
)
def test_giving_the_copies_back_survives_a_kill_at_every_statement(
    scenario: str, before: str, after: str, reports: dict[str, Any]
) -> None:
    report = reports[scenario]
    check(report)
    assert {str(crash["crashed"]) for crash in report["crashes"]} == {f"['{before}']", f"['{after}']"}
    for crash in report["crashes"]:
        assert crash["finally"] == [[after, "voided"]]
        assert crash["finally_stocks"] == START, "the copies come back once, although the request is repeated"
