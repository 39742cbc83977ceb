"""Limits that several processes share."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.e2e.test_metrics_workers import RESPAWN_WITHIN_S, workers_of
from tests.support.orders import wait_until
from tests.support.redis import RedisServer
from tests.support.server import Server

StartServer = Callable[..., Server]
LIMITS = {"LOGIN_FAILURES_PER_MINUTE": "7", "WRITES_PER_MINUTE": "40"}
SECRET = "a secret of forty bytes, only for tests!"
PASSWORD = "hunter2"


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[RedisServer]:
    with RedisServer(tmp_path, PASSWORD) as server:
        yield server


@pytest.fixture
def replicas(tmp_path: Path, redis: RedisServer) -> Iterator[list[Server]]:
    """Two servers on one database and one Redis."""
    shared: dict[str, Any] = {
        "DATABASE_URL": f"sqlite:///{tmp_path / 'shared.db'}",
        "JWT_SECRET_KEY": SECRET,
        "RATELIMIT_STORAGE_URI": redis.url,
        **LIMITS,
    }
    with (
        Server(tmp_path / "one", **shared) as first,
        Server(tmp_path / "two", **shared) as second,
    ):
        yield [first, second]


def log_in(server: Server, username: str = "admin") -> int:
    """Log in with a wrong password over a connection of its own, which any worker may accept."""
    body = {"username": username, "password": "wrong"}
    return requests.post(f"{server.url}/api/v1/auth/login", json=body, timeout=10).status_code


def is_healthy(server: Server) -> bool:
    try:
        return server.get("/health").status_code == 200
    except requests.ConnectionError:
        return False


def events(server: Server, name: str) -> list[dict[str, object]]:
    lines = (server.data_dir / "logs" / "app.jsonl").read_text(encoding="utf-8").splitlines()
    return [line for line in map(json.loads, lines) if line["message"] == name]


def test_workers_share_their_limits_exactly_also_with_those_that_replace_them(
    start_server: StartServer,
) -> None:
    server = start_server(WEB_WORKERS="2", **LIMITS)
    began_at = time.monotonic()
    with ThreadPoolExecutor(8) as pool:
        logins = list(pool.map(lambda _: log_in(server), range(30)))
        orders = list(pool.map(lambda _: server.post("/orders", json={}).status_code, range(30)))
    assert sorted(logins) == [401] * 7 + [429] * 23
    assert sorted(orders) == [401] * 10 + [429] * 20, "logins are writes too"
    before = workers_of(server)
    for pid in before:
        os.kill(pid, signal.SIGKILL)
    wait_until(lambda: bool(workers_of(server) - before) and is_healthy(server), RESPAWN_WITHIN_S)
    is_same_minute = time.monotonic() - began_at < 55
    assert server.post("/orders", json={}).status_code == (429 if is_same_minute else 401)


def test_replicas_admit_together_exactly_as_many_failures_as_the_limit_says(replicas: list[Server]) -> None:
    with ThreadPoolExecutor(8) as pool:
        statuses = list(pool.map(lambda number: log_in(replicas[number % 2]), range(30)))
    assert sorted(statuses) == [401] * 7 + [429] * 23


@pytest.mark.parametrize("fault", ["killed", "frozen"])
def test_replicas_whose_redis_is_away_count_on_their_own_and_stop_nothing(
    fault: str, replicas: list[Server], redis: RedisServer
) -> None:
    first, second = replicas
    assert [log_in(first) for _ in range(8)] == [401] * 7 + [429]
    assert log_in(second) == 429
    redis.freeze() if fault == "frozen" else redis.kill()
    began_at = time.monotonic()
    assert [log_in(second, "another") for _ in range(8)] == [401] * 7 + [429]
    assert time.monotonic() - began_at < 5, "one wait for Redis, not one a request"
    (line,) = events(second, "rate_limits_not_shared")
    assert line["levelname"] == "WARNING"
    assert PASSWORD not in (second.data_dir / "logs" / "app.jsonl").read_text() + second.log.read_text()
