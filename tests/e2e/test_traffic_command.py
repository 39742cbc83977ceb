"""`python -m demo.traffic` in front of a server that plays the shop."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest

from tests.support.fake_shop import FakeShop, fake_shop
from tests.support.server import ROOT


def start(*arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-W", "error", "-m", "demo.traffic", *arguments],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_it_ends_with_a_table_and_0() -> None:
    with (
        fake_shop() as shop,
        start("--url", shop.url, "--rate", "50", "--seconds", "0.4", "--seed", "7") as process,
    ):
        out, err = process.communicate(timeout=20)
    assert (process.returncode, err) == (0, "")
    assert "missed (late, so not sent): " in out
    assert "browser " in out


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_ends_with_a_table_and_0_when_interrupted(number: signal.Signals) -> None:
    with fake_shop() as shop, start("--url", shop.url, "--rate", "50", "--seconds", "inf") as process:
        assert shop.visited.wait(20)
        process.send_signal(number)
        out, err = process.communicate(timeout=20)
    assert (process.returncode, err) == (0, "")
    assert "missed (late, so not sent): " in out


def test_it_ends_with_1_if_there_is_no_shop() -> None:
    with FakeShop() as closed:
        url = closed.url
    with start("--url", url, "--seconds", "0.2") as process:
        out, err = process.communicate(timeout=20)
    assert (process.returncode, out) == (1, "")
    assert err == f"{url} does not answer: ConnectionError\n"
