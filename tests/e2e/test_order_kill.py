"""The server killed under load, again and again."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from tests.support.order_load import SLOW_PAYMENTS, TROUBLE, buyers_at, check, stocks_of, wait_for_more
from tests.support.server import ROOT, Server, free_port

KILLS = 50


def test_killed_at_fifty_random_moments_under_load_nothing_is_lost_doubled_or_left_reserved(
    ready_data: Path, tmp_path: Path
) -> None:
    data_dir = tmp_path / "data"
    shutil.copytree(ready_data, data_dir)
    start = stocks_of(data_dir)
    port = free_port()
    moments = random.Random(2026)
    with (tmp_path / "log").open("wb") as log:
        phoenix = subprocess.Popen(
            [sys.executable, "-m", "tests.support.phoenix", str(data_dir), str(port)],
            cwd=ROOT, env=os.environ | TROUBLE, stdout=subprocess.PIPE, stderr=log, text=True,
        )  # fmt: skip
    assert phoenix.stdout is not None
    serving = int(phoenix.stdout.readline())
    with buyers_at(f"http://127.0.0.1:{port}") as buyers:
        for kill in range(KILLS):
            if kill % 2:  # so that there is a load, whatever the machine's speed
                wait_for_more(buyers)
            time.sleep(moments.uniform(0.0, 0.3))  # the moment of death, not a wait for something
            os.kill(serving, signal.SIGKILL)
            serving = int(phoenix.stdout.readline())
    phoenix.terminate()
    os.kill(serving, signal.SIGTERM)
    phoenix.communicate(timeout=20)
    check(data_dir, start, buyers, at_least=KILLS // 2)


def test_the_real_server_killed_under_load_reconciles_its_orders(start_on: Callable[..., Server]) -> None:
    server = start_on(**SLOW_PAYMENTS)
    start = stocks_of(server.data_dir, server.database_url)
    with buyers_at(server.url) as buyers:
        for _ in range(3):
            time.sleep(0.3)  # the moment of death
            server.end(signal.SIGKILL, workers_too=True)
            server.start()
    server.end(signal.SIGKILL, workers_too=True)
    check(server.data_dir, start, buyers, at_least=1, database_url=server.database_url)
