"""The production profile on the real server."""

from __future__ import annotations

import os
import pty
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import requests

from tests.e2e.test_server import run_py
from tests.support.server import ROOT, Server

ORIGIN = "https://loja.example"
TOKEN = "the token of our metrics"
PRODUCTION = {
    "APP_ENV": "production",
    "ADMIN_PASSWORD": "a better password",
    "API_KEY_REQUIRED": "a much better key",
    "JWT_SECRET_KEY": "a secret of forty bytes, only for tests!",
}
PASSWORD = "chosen by a person"


def flask_users(server: Server, *arguments: str, typed: str = "") -> subprocess.CompletedProcess[str]:
    """Run `flask users` beside the server, with its settings."""
    return subprocess.run(
        [sys.executable, "-m", "flask", "users", *arguments],
        cwd=ROOT,
        env=server.environment,
        input=typed,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_everything_that_production_refuses_is_named_at_once(tmp_path: Path) -> None:
    (tmp_path / ".jwt_secret").touch()
    (tmp_path / ".jwt_secret").chmod(0o644)
    refused = run_py(tmp_path, APP_ENV="production", FLASK_DEBUG="1", METRICS_TOKEN="short", CORS_ORIGINS="*")
    assert refused.returncode == 2
    names = (
        "JWT_SECRET_KEY ADMIN_PASSWORD API_KEY_REQUIRED FLASK_DEBUG METRICS_TOKEN CORS_ORIGINS .jwt_secret"
    )
    assert [name for name in names.split() if name not in refused.stderr] == []
    assert "Traceback" not in refused.stderr + refused.stdout


def test_the_first_admin_changes_its_password_and_every_worker_knows(tmp_path: Path) -> None:
    with Server(tmp_path / "data", ROOT, WEB_WORKERS="2", **PRODUCTION) as server:
        first, second = (
            server.log_in(password="a better password"),
            server.log_in(password="a better password"),
        )
        for _ in range(8):  # both workers, very likely
            assert server.get("/api/v1/logs", headers=first).status_code == 403
        body = {"senha_atual": "a better password", "senha_nova": PASSWORD}
        assert server.post("/api/v1/auth/password", headers=first, json=body).status_code == 204
        assert {server.get("/api/v1/logs", headers=first).status_code for _ in range(8)} == {200}
        assert {server.get("/api/v1/logs", headers=second).status_code for _ in range(8)} == {401}
        assert server.get("/api/v1/logs").status_code == 401
        assert server.get("/api/v1/simulation").status_code == 401


def test_a_command_ends_the_logins_of_a_server_that_runs(tmp_path: Path) -> None:
    with Server(tmp_path / "data", ROOT, WEB_WORKERS="2", **PRODUCTION) as server:
        assert flask_users(server, "reset", "admin", typed=f"{PASSWORD}\n").returncode == 0
        assert flask_users(server, "create", "maria", typed=f"{PASSWORD}\n").returncode == 0
        admin, maria = server.log_in(password=PASSWORD), server.log_in("maria", PASSWORD)
        assert server.get("/api/v1/logs", headers=maria).status_code == 200
        assert flask_users(server, "disable", "maria").returncode == 0
        assert {server.get("/api/v1/logs", headers=maria).status_code for _ in range(8)} == {401}
        body = {"username": "maria", "password": PASSWORD}
        assert server.post("/api/v1/auth/login", json=body).status_code == 401
        assert server.get("/api/v1/logs", headers=admin).status_code == 200
        assert flask_users(server, "disable", "ninguem").returncode == 1
        assert PASSWORD not in server.log.read_text()


def test_browsers_are_told_what_they_may_do(tmp_path: Path) -> None:
    environment = {**PRODUCTION, "CORS_ORIGINS": ORIGIN, "TRUSTED_PROXIES": "1", "LOGS_PUBLIC": "true"}
    with Server(tmp_path / "data", ROOT, **environment) as server:
        headers = {"Origin": ORIGIN, "X-Forwarded-Proto": "https"}
        for _ in range(2):  # the second is kept
            response = server.get("/api/v1/books/0", headers=headers)
            assert response.headers["Access-Control-Allow-Origin"] == ORIGIN
            assert "Origin" in response.headers["Vary"]
            assert "max-age" in response.headers["Strict-Transport-Security"]
            plain = server.get("/api/v1/books/0", headers={"Origin": "https://outra.example"})
            assert "Access-Control-Allow-Origin" not in plain.headers
            assert "Strict-Transport-Security" not in plain.headers
        preflight = requests.options(
            f"{server.url}/orders", headers={**headers, "Access-Control-Request-Method": "POST"}, timeout=10
        )
        assert preflight.status_code == 200
        assert "POST" in preflight.headers["Access-Control-Allow-Methods"]
        assert "logs_are_public" in server.log.read_text()


def test_metrics_ask_for_their_token(start_server: Callable[..., Server]) -> None:
    server = start_server(METRICS_TOKEN=TOKEN)
    assert server.get("/metrics").status_code == 401
    assert server.get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"}).status_code == 200


def test_two_development_servers_that_start_at_once_sign_with_one_secret(tmp_path: Path) -> None:
    servers = [Server(tmp_path / "data") for _ in range(2)]
    try:
        for server in servers:
            server.launch()
        for server in servers:
            server.wait_until_healthy()
        tokens = servers[0].log_in()
        assert servers[1].get("/api/v1/scraping/runs", headers=tokens).status_code == 200
    finally:
        for server in servers:
            if server.running:
                server.end(signal.SIGTERM)


def test_an_env_file_that_others_may_read_is_refused(tmp_path: Path) -> None:
    env_file = tmp_path / ".env"
    env_file.write_text("".join(f"{name}={value}\n" for name, value in PRODUCTION.items()))
    env_file.chmod(0o644)
    refused = subprocess.run(
        [sys.executable, str(ROOT / "run.py")],
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "DATA_DIR": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )
    assert refused.returncode == 2
    assert "chmod 600" in refused.stderr
    assert "a better password" not in refused.stderr


def test_a_command_with_wrong_settings_names_them_without_a_trace(tmp_path: Path) -> None:
    server = Server(tmp_path / "data", ROOT, APP_ENV="production")
    refused = flask_users(server, "list")
    assert refused.returncode == 2
    assert "JWT_SECRET_KEY" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_a_password_that_is_typed_in_a_terminal_is_asked_for_twice_and_not_shown(
    start_server: Callable[..., Server],
) -> None:
    server = start_server()
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "flask", "users", "reset", "admin"]
    with subprocess.Popen(
        command,
        cwd=ROOT,
        env=server.environment,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    ) as process:
        os.close(theirs)
        os.set_blocking(ours, False)
        shown = ""
        for question in ("Senha: ", "Repita a senha: "):
            shown += read_until(ours, question)
            os.write(ours, f"{PASSWORD}\n".encode())
        shown += read_until(ours, "encerradas.")
        assert process.wait(20) == 0
    os.close(ours)
    assert PASSWORD not in shown
    server.log_in(password=PASSWORD)


def read_until(terminal: int, text: str) -> str:
    """Return what the terminal shows up to `text`. Raises AssertionError where it does not within 30 seconds."""
    shown = b""
    deadline = time.monotonic() + 30
    while text.encode() not in shown:
        ready, _, _ = select.select([terminal], [], [], max(0, deadline - time.monotonic()))
        assert ready, shown
        shown += os.read(terminal, 1_000)
    return shown.decode()
