"""One worker of two, or the PostgreSQL server, killed outright under orders: what was acknowledged is there, once."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import requests

from tests.support.database_faults import killed, postmaster_of, wait_for_health
from tests.support.order_load import SLOW_PAYMENTS, buyers_at, check, stocks_of, wait_for_each, wait_for_more
from tests.support.orders import wait_until
from tests.support.server import ROOT, Server

KILLS = 3
REPLACED_WITHIN_S = 15.0
BACK_WITHIN_S = 20.0
"""The time after which a PostgreSQL server that was killed and started again is used again."""


def is_replaced(server: Server, victim: int) -> bool:
    return len(server.workers) == 2 and victim not in server.workers


def test_a_worker_that_is_killed_is_replaced_and_loses_no_order_that_was_acknowledged(
    start_on: Callable[..., Server],
) -> None:
    server = start_on(WEB_WORKERS="2", WEB_THREADS="8", **SLOW_PAYMENTS)
    start = stocks_of(server.data_dir, server.database_url)
    with buyers_at(server.url) as buyers:
        for _ in range(KILLS):
            wait_for_more(buyers)
            victim, other = server.workers
            os.kill(victim, signal.SIGKILL)
            wait_for_more(buyers)  # the other one serves meanwhile
            wait_until(partial(is_replaced, server, victim), REPLACED_WITHIN_S)
            assert other in server.workers
        wait_for_each(buyers)
    assert requests.get(f"{server.url}/health", timeout=5).status_code == 200
    check(server.data_dir, start, buyers, at_least=KILLS, database_url=server.database_url)


def test_a_postgresql_server_that_is_killed_under_orders_loses_none_that_was_acknowledged(
    tmp_path: Path, postgresql_alone: str
) -> None:
    cluster = tmp_path / "postgresql"
    with ExitStack() as stack:
        environment = {"DATABASE_URL": postgresql_alone, **SLOW_PAYMENTS}
        server = stack.enter_context(Server(tmp_path / "data", ROOT, **environment))
        start = stocks_of(server.data_dir, postgresql_alone)
        with buyers_at(server.url) as buyers:
            for _ in range(KILLS):
                wait_for_more(buyers)
                restart = stack.enter_context(killed(postmaster_of(cluster), cluster))
                wait_for_health(server, 503, within_s=5)
                restart()
                wait_for_health(server, 200, within_s=BACK_WITHIN_S)
                # What was between its transactions is reconciled within a minute, or at once by a start.
                assert server.end(signal.SIGTERM) == 0
                server.start()
                wait_for_each(buyers)
        check(server.data_dir, start, buyers, at_least=KILLS, database_url=postgresql_alone)
        assert "Traceback" not in server.log.read_text()
