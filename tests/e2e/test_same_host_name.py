"""Replicas that know nothing of each other but what the database says."""

from __future__ import annotations

import shutil
import signal
import subprocess
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import requests
from flask import Flask

from app.shop import Shop
from app.start import prepare
from app.storage.training import RUNS
from tests.support.clock import set_clock
from tests.support.orders import API_KEY, order_for
from tests.support.server import Server

ELSEWHERE = "another-kernel:1/1/1/token"


class ServerInContainer(Server):
    """A server in a pid namespace of its own, with this machine's host name, as containers may have it."""

    command = ("unshare", "--pid", "--fork", "--kill-child=SIGKILL", "--mount-proc")

    def __exit__(self, *_raised: object) -> None:
        self.end(signal.SIGKILL)  # unshare itself ignores SIGTERM


def can_unshare() -> bool:
    program = shutil.which("unshare")
    return program is not None and (
        subprocess.run([*ServerInContainer.command, "true"], capture_output=True, check=False).returncode == 0
    )


@pytest.mark.skipif(not can_unshare(), reason="needs the right to make a pid namespace")
def test_a_replica_with_the_same_host_name_leaves_payments_in_flight_alone(
    tmp_path: Path, database_url: str
) -> None:
    with Server(
        tmp_path / "a",
        DATABASE_URL=database_url,
        SIMULATION_PAYMENT_LATENCY_MS="8000",
        PAYMENT_TIMEOUT_S="20",
    ) as one:
        responses: list[requests.Response] = []

        def buy() -> None:
            responses.append(
                requests.post(f"{one.url}/orders", json=order_for((5, 1)), headers=API_KEY, timeout=60)
            )

        buyers = [threading.Thread(target=buy) for _ in range(2)]
        for buyer in buyers:
            buyer.start()
        with ServerInContainer(tmp_path / "b", DATABASE_URL=database_url) as other:
            for buyer in buyers:
                buyer.join(60)
            assert "order_reconciled" not in other.log.read_text()
            assert [response.status_code for response in responses] == [201, 201]
            for response in responses:
                order = other.get(f"/orders/{response.json()['order_id']}").json()
                assert (order["status"], order["payment_status"]) == ("pending", "approved")


def test_a_replica_whose_clock_is_ahead_buries_no_run_and_settles_no_order_of_another(
    make_app: Callable[..., Flask], database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = make_app(database_url=database_url)
    prepare(app)
    shop: Shop = app.extensions["shop"]
    with shop.database.writing() as session:
        run = RUNS.begin(session, "admin", ELSEWHERE, shop.database.now(session), catalogue_version=1)
    set_clock(monkeypatch, timedelta(hours=1))
    shop.trainings.reap_stale_runs()
    assert shop.trainings.latest() == run
    with shop.database.reading() as session:
        assert abs((shop.database.now(session) - datetime.now(UTC)).total_seconds()) < 60
