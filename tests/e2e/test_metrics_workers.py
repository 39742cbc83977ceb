"""One `/metrics` of several worker processes."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest

from tests.support.exposition import Samples, read_samples, value
from tests.support.orders import API_KEY, order_for, wait_until
from tests.support.server import Server

WORKERS = 4
READS, ORDERS = 200, 40
RESPAWN_WITHIN_S = 60
SHARED_MEMORY = Path("/dev/shm")


def scrape(server: Server) -> Samples:
    return read_samples(server.get("/metrics").text)


def workers_of(server: Server) -> set[int]:
    assert server.process is not None
    children = Path(f"/proc/{server.process.pid}/task/{server.process.pid}/children").read_text()
    return {int(pid) for pid in children.split()}


def folders_of(server: Server) -> list[Path]:
    """Where the figures of `server` are, in shared memory."""
    assert server.process is not None
    return list(SHARED_MEMORY.glob(f"livraria-metrics-*-{server.process.pid}-*"))


def test_four_workers_give_one_consistent_answer(start_server: Callable[..., Server]) -> None:
    server = start_server(WEB_WORKERS=str(WORKERS))
    assert len(workers_of(server)) >= WORKERS

    def buy(_number: int) -> int:
        return server.post("/orders", headers=API_KEY, json=order_for((0, 1))).status_code

    with ThreadPoolExecutor(16) as pool:
        assert {answer.status_code for answer in pool.map(server.get, ["/api/v1/categories"] * READS)} == {
            200
        }
        statuses = list(pool.map(buy, range(ORDERS)))
    for _ in range(8):  # whichever of them answers
        samples = scrape(server)
        read = value(samples, "api_requests_total", method="GET", endpoint="/api/v1/categories", status=200)
        assert read == READS
        sold = value(samples, "ecommerce_orders_created_total", status="success", payment_status="approved")
        assert sold == statuses.count(201) > 0
        assert value(samples, "ecommerce_active_sessions_gauge") == 1
        assert value(samples, "livraria_orders", status="pending") == sold
        assert value(samples, "ecommerce_ledger_mismatches") == 0


def test_a_worker_that_dies_keeps_its_counts_and_loses_its_gauges(
    start_server: Callable[..., Server],
) -> None:
    server = start_server(WEB_WORKERS=str(WORKERS), SIMULATION_PAYMENT_LATENCY_MS="5000")
    for _ in range(20):
        server.get("/api/v1/categories")
    before = workers_of(server)
    with ThreadPoolExecutor(8) as pool:
        hanging = [pool.submit(_buy, server) for _ in range(8)]
        wait_until(lambda: value(scrape(server), "ecommerce_active_sessions_gauge") == 9, RESPAWN_WITHIN_S)
        for pid in before:
            os.kill(pid, signal.SIGKILL)
        assert [each.result() for each in hanging] == ["hung up"] * 8
    wait_until(lambda: len(workers_of(server) - before) >= WORKERS and _answers(server), RESPAWN_WITHIN_S)
    wait_until(lambda: value(scrape(server), "ecommerce_active_sessions_gauge") == 1, RESPAWN_WITHIN_S)
    counted = value(
        scrape(server), "api_requests_total", method="GET", endpoint="/api/v1/categories", status=200
    )
    assert counted == 20


@pytest.mark.skipif(not SHARED_MEMORY.is_dir(), reason="this system has no shared memory to look into")
def test_the_figures_are_in_memory_and_not_on_a_disk_that_may_be_full(
    start_server: Callable[..., Server],
) -> None:
    server = start_server(WEB_WORKERS="2")
    (folder,) = folders_of(server)
    assert folder.stat().st_mode & 0o077 == 0
    assert list(folder.glob("counter_*.db"))
    assert not list(server.data_dir.rglob("counter_*.db"))
    server.end(signal.SIGTERM)
    assert not folder.exists()


@pytest.mark.skipif(not SHARED_MEMORY.is_dir(), reason="this system has no shared memory to look into")
def test_a_start_removes_what_a_killed_server_left_and_nothing_of_a_living_one(
    start_server: Callable[..., Server],
) -> None:
    killed, living = start_server(WEB_WORKERS="2"), start_server(WEB_WORKERS="2")
    killed.end(signal.SIGKILL)
    (left,) = folders_of(killed)
    start_server(WEB_WORKERS="2")
    assert not left.exists()
    assert len(folders_of(living)) == 1


def test_the_processes_use_is_told_of_all_of_them_and_never_less_than_before(
    start_server: Callable[..., Server],
) -> None:
    server = start_server(WEB_WORKERS="2")
    told: list[Samples] = []

    def look() -> None:
        with suppress(OSError):  # the one that dies answers nobody
            told.append(scrape(server))

    for _ in range(12):  # whichever of them answers
        look()
    dying, *_ = sorted(workers_of(server), reverse=True)
    os.kill(dying, signal.SIGKILL)
    wait_until(lambda: look() or dying not in workers_of(server), RESPAWN_WITHIN_S)
    for _ in range(12):
        look()
    seconds = [value(samples, "process_cpu_seconds_total") for samples in told]
    assert seconds == sorted(seconds)
    assert all(seconds)
    resident = {value(samples, "process_resident_memory_bytes") for samples in told[:12]}
    assert max(resident) < 1.2 * min(resident)
    assert 0 < value(told[0], "process_open_fds") < value(told[0], "process_max_fds")
    assert not [name for name, _ in told[0] if name.startswith("python_")]


def _buy(server: Server) -> str:
    try:
        server.post("/orders", headers=API_KEY, json=order_for((0, 1), payment={}))
    except OSError:
        return "hung up"
    return "answered"


def _answers(server: Server) -> bool:
    try:
        return server.get("/health").status_code == 200
    except OSError:
        return False
