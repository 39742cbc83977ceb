"""The Postman collection, run by newman against a real server."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

from demo.site.server import DemoSite
from tests.support.postman import COLLECTION, leaves, read_collection
from tests.support.programs import need
from tests.support.server import ROOT, Server

NEWMAN = ROOT / "tests" / "e2e" / "newman"
NEEDED_TO_SCRAPE = ("02 Autenticação", "07 Scraping")


def stocks_of(server: Server) -> dict[int, int]:
    """Return how many copies of each book can be ordered, by id."""
    return {book["id"]: book["disponibilidade"] for book in server.get("/api/v1/books").json()}


def run_newman(server: Server, report: Path, *folders: str) -> dict[str, Any]:
    """Return newman's report of the collection, or of some of its folders."""
    need("node", debian_package="nodejs")
    command = [need("newman", npm_folder=NEWMAN), "run", str(COLLECTION)]
    command += ["--env-var", f"baseUrl={server.url}"]
    command += ["--reporters", "json", "--reporter-json-export", str(report)]
    command += [argument for folder in folders for argument in ("--folder", folder)]
    newman = subprocess.run(
        command,
        env={"PATH": os.environ["PATH"], "HOME": str(report.parent), "NO_PROXY": "*"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert report.exists(), newman.stdout + newman.stderr
    run: dict[str, Any] = json.loads(report.read_text(encoding="utf-8"))["run"]
    return run


def check_run(run: dict[str, Any], requests: int) -> None:
    """Check that every request was sent and checked, and that nothing failed."""
    failures = [
        f"{failure['parent']['name']} / {failure['source']['name']}: "
        f"{failure['error'].get('test', '')}: {failure['error']['message']}"
        for failure in run["failures"]
    ]
    assert failures == []
    assert run["stats"]["requests"]["total"] >= requests
    assert run["stats"]["assertions"]["total"] >= run["stats"]["requests"]["total"]


def test_the_collection_passes_and_passes_again_after_a_scrape(
    start_server: Callable[..., Server],
    open_site: Callable[..., DemoSite],
    tmp_path: Path,
) -> None:
    server = start_server(SCRAPER_BASE_URL=open_site().base_url, PAYMENT_TIMEOUT_S="0.5")
    requests = len(list(leaves(read_collection())))
    stocks = stocks_of(server)
    check_run(run_newman(server, tmp_path / "first.json"), requests)
    if server.get("/health").json()["origem"] == "demonstracao":  # the scrape was cancelled in time
        assert stocks_of(server) == stocks

    server.post("/api/v1/scraping/trigger", headers=server.log_in())
    assert server.wait_for_scrape()["status"] == "done"
    assert server.get("/health").json()["origem"] == "scraping"
    check_run(run_newman(server, tmp_path / "second.json"), requests)


def test_the_scraping_folder_passes_without_a_shop_to_scrape(
    start_server: Callable[..., Server], tmp_path: Path
) -> None:
    server = start_server(SCRAPER_BASE_URL="http://127.0.0.1:9/")
    chosen = [folder for folder in read_collection()["item"] if folder["name"] in NEEDED_TO_SCRAPE]
    assert len(chosen) == len(NEEDED_TO_SCRAPE)
    report = run_newman(server, tmp_path / "report.json", *NEEDED_TO_SCRAPE)
    check_run(report, sum(len(list(leaves(folder))) for folder in chosen))
