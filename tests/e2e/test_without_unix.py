"""The shop where Python lacks what Windows lacks; see tests/support/without_unix."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from demo.site.server import DemoSite
from tests.support.orders import API_KEY, wait_until
from tests.support.server import ROOT, Server
from tests.support.trained_shop import wait_for_training

LACKING = str(ROOT / "tests" / "support" / "without_unix")


@pytest.mark.parametrize("module", ["fcntl", "resource", "pwd", "grp"])
def test_the_modules_are_really_lacking(module: str) -> None:
    tried = subprocess.run(
        [sys.executable, "-c", f"import {module}"],
        env={"PYTHONPATH": LACKING},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert "ModuleNotFoundError" in tried.stderr


@pytest.mark.parametrize("workers", ["1", "2"])  # the latter not on Windows, but from Python 3.14 on
def test_the_shop_starts_scrapes_sells_and_ends(
    tmp_path: Path, open_site: Callable[..., DemoSite], workers: str
) -> None:
    site = open_site()
    settings = {"SCRAPER_BASE_URL": site.base_url, "PYTHONPATH": LACKING, "WEB_WORKERS": workers}
    with Server(tmp_path / "data", ROOT, **settings) as server:
        server.post("/api/v1/scraping/trigger", headers=server.log_in())
        assert server.wait_for_scrape()["status"] == "done"
        wait_until(lambda: len(server.get("/api/v1/books").json()) == 100)
        books = server.get("/api/v1/books").json()
        book = next(book["id"] for book in books if book["disponibilidade"])
        order = {"customer_id": "cliente-42", "items": [{"product_id": book, "quantity": 1}]}
        assert server.post("/orders", API_KEY, order).status_code == 201
        assert server.get("/metrics").status_code == 200
        assert server.get("/api/v1/logs").json()
        assert server.end(signal.SIGINT) == 0  # what a Ctrl-C sends
    assert "Traceback" not in server.log.read_text()


def test_a_catalogue_trains_a_model_there_too(tmp_path: Path) -> None:
    with Server(tmp_path / "data", PYTHONPATH=LACKING) as server:
        assert server.post("/api/v1/ml/train", server.log_in()).status_code == 202
        assert wait_for_training(server)["status"] == "done"
