"""One `/metrics` of several worker processes."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.support.exposition import Samples, read_samples, value
from tests.support.orders import API_KEY, order_for, wait_until
from tests.support.server import Server

WORKERS = 4
READS, ORDERS = 200, 40
RESPAWN_WITHIN_S = 60


def scrape(server: Server) -> Samples:
    return read_samples(server.get("/metrics").text)


def workers_of(server: Server) -> set[int]:
    assert server.process is not None
    children = Path(f"/proc/{server.process.pid}/task/{server.process.pid}/children").read_text()
    return {int(pid) for pid in children.split()}


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
