"""Kills a shop before each of its statements, one after the other, and recovers it.

`python -m tests.support.crash_lab <ready data> <work folder> [<PostgreSQL database>]` prints a JSON report for each
scenario, on SQLite unless an empty database is named. It is a process of its own because it forks: each death and each
recovery is a child, so that the parent never has a thread.
"""

from __future__ import annotations

import gc
import json
import os
import shutil
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event, make_url

from app.factory import create_app
from app.services.audit import audit
from app.shop import Shop
from app.start import prepare
from tests.support.orders import API_KEY
from tests.support.shop import make_settings

BOOKS = (0, 1)
BODY = {"customer_id": "c", "items": [{"product_id": 1, "quantity": 2}, {"product_id": 0, "quantity": 3}]}
Report = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Stored:
    """A shop at rest: its files, and its database where that is not one of them."""

    folder: Path
    database_url: str = ""

    def named(self, folder: Path, suffix: str) -> Stored:
        """Return where a copy may be."""
        return Stored(folder, self.database_url and f"{self.database_url}_{suffix}")

    def copy_to(self, other: Stored) -> None:
        """Replace another by a copy of this one."""
        shutil.rmtree(other.folder, ignore_errors=True)
        shutil.copytree(self.folder, other.folder)
        if self.database_url:
            source, target = make_url(self.database_url), make_url(other.database_url)
            server = source.set(drivername="postgresql", database="postgres")
            with psycopg.connect(server.render_as_string(hide_password=False), autocommit=True) as operator:
                operator.execute(f"DROP DATABASE IF EXISTS {target.database} WITH (FORCE)")
                operator.execute(f"CREATE DATABASE {target.database} TEMPLATE {source.database}")

    def open(self) -> Flask:
        return create_app(make_settings(self.folder, database_url=self.database_url))


def place(client: FlaskClient, token: str = "tok_approved") -> int:
    body = {**BODY, "payment": {"token": token}}
    return client.post("/orders", json=body, headers={**API_KEY, "Idempotency-Key": "once"}).status_code


def place_denied(client: FlaskClient) -> int:
    return place(client, "tok_denied")


def move(client: FlaskClient, status: str) -> int:
    [order] = orders(client)
    path = f"/orders/{order['order_id']}/status"
    return client.put(path, json={"status": status}, headers=API_KEY).status_code


def cancel(client: FlaskClient) -> int:
    return move(client, "cancelled")


def give_back(client: FlaskClient) -> int:
    return move(client, "returned")


def nothing(_client: FlaskClient) -> int:
    return 0


def deliver(client: FlaskClient) -> int:
    place(client)
    move(client, "shipped")
    return move(client, "delivered")


SCENARIOS: dict[str, tuple[Callable[[FlaskClient], int], Callable[[FlaskClient], int]]] = {
    "place": (nothing, place),
    "deny": (nothing, place_denied),
    "cancel": (place, cancel),
    "return": (deliver, give_back),
}


def orders(client: FlaskClient) -> list[dict[str, Any]]:
    page: dict[str, list[dict[str, Any]]] = client.get("/orders", headers=API_KEY).get_json()
    return page["orders"]


def stocks(client: FlaskClient) -> dict[int, int]:
    return {book: client.get(f"/api/v1/books/{book}").get_json()["disponibilidade"] for book in BOOKS}


def die_at(app: Flask, boundary: int) -> Callable[[], int]:
    """Kill this process before its `boundary`-th statement or commit; return a function that counts them."""
    passed = 0

    def step(*_arguments: object) -> None:
        nonlocal passed
        if passed == boundary:
            os.kill(os.getpid(), signal.SIGKILL)
            time.sleep(60)  # until the signal arrives
        passed += 1

    engine = shop_of(app).database.engine
    event.listen(engine, "before_cursor_execute", step)
    event.listen(engine, "commit", step)
    return lambda: passed


def shop_of(app: Flask) -> Shop:
    shop: Shop = app.extensions["shop"]
    return shop


def in_child(work: Callable[[], Report]) -> Report | None:
    """Return the report of `work`, run in a process of its own; None where it was killed."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        with os.fdopen(writing, "w") as pipe:
            json.dump(work(), pipe)
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        text = pipe.read()
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL:
        return None
    if status != 0:
        raise RuntimeError(f"a child ended with {status}")
    report: Report = json.loads(text)
    return report


def run(app: Flask, act: Callable[[FlaskClient], int], boundary: int) -> Report:
    """Act until the crash at `boundary`; return a report where the act ends before it."""
    client = app.test_client()
    passed = die_at(app, boundary)
    return {"status": act(client), "boundaries": passed()}


def recover(app: Flask, act: Callable[[FlaskClient], int]) -> Report:
    """Report the orders before and after the reconciliation, and after the client has repeated its request."""
    shop, client = shop_of(app), app.test_client()
    crashed = [order["status"] for order in orders(client)]
    shop.orders.reconcile()
    reconciled = [order["status"] for order in orders(client)]
    report: Report = {
        "crashed": crashed,
        "reconciled": reconciled,
        "stocks": stocks(client),
        "mismatches": audit(shop.database, shop.metrics),
        "repeated": act(client),
    }
    shop.orders.reconcile()
    return report | {
        "finally": [(order["status"], order["payment_status"]) for order in orders(client)],
        "finally_stocks": stocks(client),
        "finally_mismatches": audit(shop.database, shop.metrics),
    }


def crash_everywhere(ready: Stored, work: Path, scenario: str) -> Report:
    before, act = SCENARIOS[scenario]
    shop = ready.named(work / scenario / "data", scenario)
    pristine = ready.named(work / scenario / "pristine", f"{scenario}_pristine")
    ready.copy_to(shop)
    app = shop.open()
    start = in_child(lambda: {"stocks": stocks(app.test_client()), "status": before(app.test_client())})
    shop.copy_to(pristine)
    crashes: list[Report] = []
    while True:
        pristine.copy_to(shop)
        whole = in_child(lambda: run(app, act, boundary=len(crashes)))
        if whole is not None:
            return {"start": start, "whole": whole, "crashes": crashes}
        crash = in_child(lambda: recover(app, act))
        assert crash is not None
        crashes.append(crash)


def make_ready(ready: Stored) -> Report:
    prepare(ready.open())
    return {}


def main(folder: Path, work: Path, database_url: str = "") -> None:
    gc.freeze()
    ready = Stored(folder, database_url)
    if database_url:
        in_child(lambda: make_ready(ready))
    sys.stdout.write(
        json.dumps({scenario: crash_everywhere(ready, work, scenario) for scenario in SCENARIOS})
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), *sys.argv[3:])
