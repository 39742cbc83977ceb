"""The server as operators meet it: how it starts, refuses to start and ends."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from app.serve import DRAIN_S
from demo.site.server import DemoSite
from tests.support.orders import wait_until
from tests.support.server import ROOT, Server


def run_py(tmp_path: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "run.py"],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "DATA_DIR": str(tmp_path), **environment},
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )


def test_a_first_start_with_no_data_serves_the_demonstration_catalogue(tmp_path: Path) -> None:
    with Server(tmp_path / "fresh") as server:
        health = server.get("/health").json()
        assert health["origem"] == "demonstracao"
        assert len(server.get("/api/v1/books").json()) == 1000
        assert "serving_the_demonstration_catalogue" in server.log.read_text()
        assert f'"url":"sqlite:///{server.data_dir}/livraria.db"' in server.log.read_text(), "new_shop"
        assert (server.data_dir / "scraping_status.txt").read_text() == "never"
        assert (server.data_dir / "livros.csv").read_text().count("\n") > 1000
        assert (server.data_dir / "livraria.db").stat().st_mode & 0o077 == 0


def test_all_wrong_settings_are_named_at_once_without_a_trace(tmp_path: Path) -> None:
    refused = run_py(tmp_path, FLASK_APP_PORT="many", APP_ENV="production", SCRAPER_CONCURRENCY="0")
    assert refused.returncode == 2
    for name in (
        "FLASK_APP_PORT",
        "SCRAPER_CONCURRENCY",
        "JWT_SECRET_KEY",
        "ADMIN_PASSWORD",
        "API_KEY_REQUIRED",
    ):
        assert name in refused.stderr
    assert "Traceback" not in refused.stderr + refused.stdout


def test_production_replaces_the_sample_password_left_by_development(
    start_server: Callable[..., Server],
) -> None:
    start_server().end(signal.SIGTERM)
    production = start_server(
        APP_ENV="production",
        ADMIN_PASSWORD="a better password",
        API_KEY_REQUIRED="a much better key",
        JWT_SECRET_KEY="a secret of forty bytes, only for tests!",
    )
    sample = {"username": "admin", "password": "1234"}
    assert production.post("/api/v1/auth/login", json=sample).status_code == 401
    assert production.log_in(password="a better password")


def test_a_chunked_body_over_the_limit_is_refused_rather_than_cut(
    start_server: Callable[..., Server],
) -> None:
    server = start_server(MAX_BODY_BYTES="1024")
    chunk = b"400\r\n" + b"x" * 1024 + b"\r\n"
    with socket.create_connection(("127.0.0.1", server.port), timeout=5) as connection:
        connection.sendall(
            b"POST /api/v1/auth/login HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            b"Transfer-Encoding: chunked\r\n\r\n" + chunk * 3 + b"0\r\n\r\n"
        )
        assert connection.recv(64).startswith(b"HTTP/1.1 413")


def test_sigterm_ends_the_server_and_leaves_its_scrape_to_be_resumed(
    start_server: Callable[..., Server], open_site: Callable[..., DemoSite]
) -> None:
    site = open_site(latency_s=0.05)
    server = start_server(SCRAPER_BASE_URL=site.base_url, SCRAPER_CONCURRENCY="2")
    server.post("/api/v1/scraping/trigger", headers=server.log_in())
    deadline = time.monotonic() + 20
    while server.get("/api/v1/scraping/status").json()["livros_lidos"] < 10:
        assert time.monotonic() < deadline
    assert server.end(signal.SIGTERM) == 0
    assert (server.data_dir / "scraping_status.txt").read_text() == "error"
    server.start()
    run = server.get("/api/v1/scraping/runs", headers=server.log_in()).json()[0]
    assert run["status"] == "interrupted"
    assert run["livros_lidos"] >= 10


def test_told_to_end_while_its_workers_start_it_ends_at_once(tmp_path: Path) -> None:
    server = Server(tmp_path / "data", WEB_WORKERS="2")
    server.launch()
    wait_until((server.data_dir / "livraria.db").exists)
    began = time.monotonic()
    server.end(signal.SIGTERM)
    assert time.monotonic() - began < DRAIN_S / 2


def test_workers_end_when_their_supervisor_is_killed(start_server: Callable[..., Server]) -> None:
    server = start_server(WEB_WORKERS="2")
    server.end(signal.SIGKILL)  # raises where a worker still listens


def test_two_workers_run_one_scrape_between_them(
    start_server: Callable[..., Server], open_site: Callable[..., DemoSite]
) -> None:
    site = open_site(latency_s=0.02)
    server = start_server(WEB_WORKERS="2", SCRAPER_BASE_URL=site.base_url)
    header = server.log_in()
    statuses = [server.post("/api/v1/scraping/trigger", headers=header).status_code for _ in range(8)]
    assert sorted(statuses) == [202] + [409] * 7
    assert server.wait_for_scrape()["status"] == "done"
    noticed_by = time.monotonic() + 1  # what the design promises of the worker that did not scrape
    while {len(server.get("/api/v1/books").json()) for _ in range(10)} != {100}:
        assert time.monotonic() < noticed_by, "a worker still serves the old catalogue"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("HOST", "example.invalid"),
        ("DATABASE_URL", "postgresql+psycopg://u:secret@h:port/db"),
        ("DATABASE_URL", "sqlite:///relative.db"),
        ("DATA_DIR", "/proc/nowhere"),
    ],
)
def test_what_cannot_be_used_is_refused_in_one_sentence(tmp_path: Path, name: str, value: str) -> None:
    refused = run_py(tmp_path, **{name: value})
    assert refused.returncode == 2
    assert name in refused.stderr
    assert "Traceback" not in refused.stderr + refused.stdout
    assert "secret" not in refused.stderr


@pytest.mark.parametrize("variable", ["FLASK_APP_PORT", "PORT"])
def test_a_port_that_another_shop_serves_is_refused_in_one_sentence(
    start_server: Callable[..., Server], tmp_path: Path, variable: str
) -> None:
    refused = run_py(tmp_path, **{variable: str(start_server().port)})
    assert refused.returncode == 2
    assert f" {variable}: outro programa" in refused.stderr
    assert "Traceback" not in refused.stderr
