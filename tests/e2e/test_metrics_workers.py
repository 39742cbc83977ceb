"""The one `/metrics` of several worker processes."""

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
    """Return the folders in shared memory with the metrics of `server`."""
    assert server.process is not None
    return list(SHARED_MEMORY.glob(f"livraria-metrics-*-{server.process.pid}-*"))


def test_four_workers_serve_one_consistent_set_of_metrics(start_server: Callable[..., Server]) -> None:
    server = start_server(WEB_WORKERS=str(WORKERS))
    assert len(workers_of(server)) >= WORKERS

    def buy(_number: int) -> int:
        return server.post("/orders", headers=API_KEY, json=order_for((0, 1))).status_code

    with ThreadPoolExecutor(16) as pool:
        responses = pool.map(server.get, ["/api/v1/categories"] * READS)
        assert {response.status_code for response in responses} == {200}
        statuses = list(pool.map(buy, range(ORDERS)))
    for _ in range(8):  # any worker may serve it
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
        assert [order.result() for order in hanging] == ["hung up"] * 8
    wait_until(lambda: len(workers_of(server) - before) >= WORKERS and _is_healthy(server), RESPAWN_WITHIN_S)
    wait_until(lambda: value(scrape(server), "ecommerce_active_sessions_gauge") == 1, RESPAWN_WITHIN_S)
    counted = value(
        scrape(server), "api_requests_total", method="GET", endpoint="/api/v1/categories", status=200
    )
    assert counted == 20


@pytest.mark.skipif(not SHARED_MEMORY.is_dir(), reason="this system has no shared memory to look into")
def test_the_metrics_are_in_memory_and_not_on_a_disk_that_may_be_full(
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
def test_a_start_removes_the_folder_of_a_killed_server_and_not_that_of_a_living_one(
    start_server: Callable[..., Server],
) -> None:
    killed, living = start_server(WEB_WORKERS="2"), start_server(WEB_WORKERS="2")
    killed.end(signal.SIGKILL)
    (orphaned,) = folders_of(killed)
    start_server(WEB_WORKERS="2")
    assert not orphaned.exists()
    assert len(folders_of(living)) == 1


def test_the_process_metrics_add_up_all_workers_and_never_fall(
    start_server: Callable[..., Server],
) -> None:
    server = start_server(WEB_WORKERS="2")
    scrapes: list[Samples] = []

    def scrape_again(times: int = 1) -> None:
        for _ in range(times):  # any worker may serve it
            with suppress(OSError):  # the worker that dies hangs up
                scrapes.append(scrape(server))

    def is_replaced(worker: int) -> bool:
        scrape_again()
        return worker not in workers_of(server)

    scrape_again(12)
    worker = max(workers_of(server))
    os.kill(worker, signal.SIGKILL)
    wait_until(lambda: is_replaced(worker), RESPAWN_WITHIN_S)
    scrape_again(12)
    seconds = [value(samples, "process_cpu_seconds_total") for samples in scrapes]
    assert seconds == sorted(seconds)
    assert all(seconds)
    resident = {value(samples, "process_resident_memory_bytes") for samples in scrapes[:12]}
    assert max(resident) < 1.2 * min(resident)
    assert 0 < value(scrapes[0], "process_open_fds") < value(scrapes[0], "process_max_fds")
    assert not [name for name, _ in scrapes[0] if name.startswith("python_")]


def _buy(server: Server) -> str:
    try:
        server.post("/orders", headers=API_KEY, json=order_for((0, 1), payment={}))
    except OSError:
        return "hung up"
    return "served"


def _is_healthy(server: Server) -> bool:
    try:
        return server.get("/health").status_code == 200
    except OSError:
        return False
