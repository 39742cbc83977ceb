"""The visitors of the demonstration, in the real shop."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from random import Random

from app.settings import SAMPLE_API_KEY
from demo.site.server import DemoSite
from demo.traffic.load_generator import LoadGenerator, LoadOptions
from demo.traffic.memory import Memory
from demo.traffic.schedule import ACTORS, SCRAPER
from tests.support.server import ROOT, Server

CALLS = 40
STATUSES = {
    "browser": {200},
    "reader": {200},
    "searcher": {200},
    "bargain_hunter": {200},
    "regular": {200, 304},
    "watchman": {200},
    "buyer": {201},
    "buyer_without_funds": {402},
    "buyer_with_a_bad_line": {502},
    "impatient_buyer": {201},
    "customer": {200},
    "analyst": {200},
    "clerk": {200},
    "bungler": {400, 401, 404, 405},
    "intruder": {401},
    "user": {200, 204},
    "scraper": {200, 202},
}


def test_every_actor_gets_only_statuses_that_it_expects(
    start_server: Callable[..., Server], open_site: Callable[..., DemoSite]
) -> None:
    server = start_server(SCRAPER_BASE_URL=open_site().base_url)
    generator = LoadGenerator(
        server.url, Memory(SAMPLE_API_KEY, "admin", "1234"), LoadOptions(rate=1, seconds=5)
    )
    generator.open()
    for actor in (*ACTORS, SCRAPER):
        generator.visit(*[actor] * CALLS, rng=Random(7))
    assert not generator.tally.unexpected, generator.tally.report()
    bad_luck = {404, 409, 504}
    statuses = {
        name: set(counts) - bad_luck if "buyer" in name else set(counts)
        for name, counts in generator.tally.statuses.items()
    }
    assert statuses == STATUSES
    key = {"X-API-Key": SAMPLE_API_KEY}
    for status in ("shipped", "delivered", "cancelled", "returned", "payment_denied", "failed"):
        assert server.get(f"/orders?status={status}", headers=key).json()["orders"], status
    assert server.wait_for_scrape()["status"] == "done"


def test_the_command_visits_the_shop_and_has_it_scraped(
    start_server: Callable[..., Server], open_site: Callable[..., DemoSite], tmp_path: Path
) -> None:
    server = start_server(SCRAPER_BASE_URL=open_site().base_url)
    command = subprocess.run(
        [sys.executable, "-W", "error", "-m", "demo.traffic",
         "--url", server.url, "--rate", "30", "--seconds", "4", "--seed", "7", "--scrape"],
        capture_output=True, text=True, timeout=60, check=False, cwd=ROOT,
    )  # fmt: skip
    assert (command.returncode, command.stderr) == (0, "")
    assert "unexpected:" not in command.stdout, command.stdout
    assert server.wait_for_scrape()["status"] == "done"
