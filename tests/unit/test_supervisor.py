"""What the supervising process does about a worker that ended."""

from __future__ import annotations

import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from granian.server.mp import MPServer

from app import http_server, serve
from app.http_server import EXIT_NOT_STARTED, STARTS_WITHIN_S
from tests.support.shop import make_settings

AGO = {"at its start": 1.0, "later": STARTS_WITHIN_S + 1}


@pytest.fixture
def respawned(monkeypatch: pytest.MonkeyPatch) -> list[list[int]]:
    """The workers that were started again."""
    again: list[list[int]] = []
    monkeypatch.setattr(http_server, "RESTART_PAUSE_S", 0.01)
    monkeypatch.setattr(MPServer, "_respawn_workers", lambda _server, workers, *_rest: again.append(workers))
    return again


def supervisor_of(tmp_path: Path, exit_code: int | None, when: str) -> Any:
    """Return a supervisor one of whose two workers has just ended."""
    server: Any = serve._server(make_settings(tmp_path))
    server._started_at = time.monotonic() - AGO[when]
    server.wrks = [SimpleNamespace(inner=SimpleNamespace(exitcode=code)) for code in (None, exit_code)]
    server.respawned_wrks[1] = time.monotonic()
    return server


def test_a_shop_that_cannot_start_ends(tmp_path: Path, respawned: list[list[int]]) -> None:
    server = supervisor_of(tmp_path, EXIT_NOT_STARTED, "at its start")
    server._respawn_workers([1], None, None)
    assert respawned == []
    assert server.interrupt_signal
    assert server.interrupt_children, "by which granian ends with 1"


def test_a_worker_that_cannot_start_beside_others_that_serve_is_tried_again_and_again(
    tmp_path: Path, respawned: list[list[int]]
) -> None:
    server = supervisor_of(tmp_path, EXIT_NOT_STARTED, "later")
    for _ in range(3):
        server._respawn_workers([1], None, None)
        assert server.respawned_wrks == {}, "granian would take it for a loop of crashes"
    assert respawned == [[1]] * 3
    assert not server.interrupt_signal


@pytest.mark.parametrize("when", list(AGO))
@pytest.mark.parametrize("exit_code", [-9, 1])
def test_a_worker_that_was_killed_or_crashed_is_replaced(
    tmp_path: Path, respawned: list[list[int]], exit_code: int, when: str
) -> None:
    server = supervisor_of(tmp_path, exit_code, when)
    server._respawn_workers([1], None, None)
    assert (respawned, server.interrupt_signal) == ([[1]], False)
