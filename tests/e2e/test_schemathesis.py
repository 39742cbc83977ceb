"""The real server is sent what its document allows and forbids, by schemathesis, as each kind of caller.

What ends the caller's own login, or makes the shop fail on purpose, comes in a run of its own, the last one.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import uuid
from collections.abc import Iterator

import pytest

from app.settings import SAMPLE_API_KEY
from tests.support.server import ROOT, Server

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "60"))
"""Cases of each operation in each phase; `make fuzz` raises it."""
CASES = 2_500
"""Of each of the four callers, so that there are 10,000 in all."""
DISRUPTIVE = ("/api/v1/auth/logout", "/api/v1/auth/password", "/api/v1/simulation")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A shop whose logins are not limited and whose background runs end at once."""
    with Server(
        tmp_path_factory.mktemp("fuzzed") / "data",
        LOGIN_FAILURES_PER_MINUTE="1000",
        LOGIN_FAILURES_PER_ADDRESS_PER_MINUTE="10000",
        LOGIN_FAILURES_PER_ACCOUNT_PER_MINUTE="100000",
        RUNS_PER_MINUTE="10000",
        ML_TRAINING_TIMEOUT_S="1",
        SCRAPER_MAX_ATTEMPTS="1",
    ) as running:
        yield running
        log = (running.data_dir / "logs" / "app.jsonl").read_text(encoding="utf-8")
        assert "request_crashed" not in log


def run_schemathesis(server: Server, headers: dict[str, str], *arguments: str) -> int:
    """Return the number of cases. Raises AssertionError with schemathesis' report where a check fails."""
    command = [
        *(sys.executable, "-m", "schemathesis.cli", "--config-file", "tests/e2e/schemathesis.toml"),
        *("run", f"{server.url}/apispec_1.json", "--checks", "all", "--max-examples", str(EXAMPLES)),
        *("--no-color", *arguments),
    ]
    for name, value in headers.items():
        command += ["--header", f"{name}: {value}"]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=1_800, check=False)
    assert ended.returncode == 0, ended.stdout[-30_000:] + ended.stderr[-5_000:]
    cases = re.search(r"(\d+) generated", ended.stdout)
    assert cases is not None, ended.stdout
    return int(cases[1])


def headers_of(server: Server, caller: str) -> dict[str, str]:
    """Return the credentials of a caller; a role's are of a new user, who may lose its login or its password."""
    if caller == "anonymous":
        return {}
    if caller == "API key":
        return {"X-API-Key": SAMPLE_API_KEY}
    user = {"username": f"fuzz-{uuid.uuid4()}", "password": "12345678"}
    created = server.post("/api/v1/auth/newuser", server.log_in(), {**user, "role": caller})
    assert created.status_code == 201
    return server.log_in(**user)


@pytest.mark.parametrize("caller", ["anonymous", "API key", "operador", "admin"])
def test_every_operation_does_what_the_document_says(server: Server, caller: str) -> None:
    excluded = [argument for path in DISRUPTIVE for argument in ("--exclude-path", path)]
    # One worker: threads that parse Python at once meet a fault of CPython 3.11 (its issue 106905).
    cases = run_schemathesis(server, headers_of(server, caller), "--workers", "1", *excluded)
    assert cases >= CASES


@pytest.mark.parametrize("caller", ["anonymous", "API key", "operador", "admin"])
def test_what_disturbs_other_requests_does_what_the_document_says(server: Server, caller: str) -> None:
    documented = server.get("/apispec_1.json").json()["paths"]
    for path in [path for path in DISRUPTIVE if path in documented]:
        phases = ("--phases", "examples,coverage,fuzzing")  # alone, it has no links to follow
        run_schemathesis(server, headers_of(server, caller), *phases, "--include-path", path)
