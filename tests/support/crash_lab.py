"""Kills a shop at every statement it makes, one after the other, and looks at what is left.

`python -m tests.support.crash_lab <ready data> <work folder> <scenario>` prints a JSON report. It is a process
of its own because it forks: each death and each recovery is a child, so that the parent never has a thread.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event

from app.factory import create_app
from app.services.audit import audit
from app.shop import Shop
from tests.support.orders import API_KEY
from tests.support.shop import make_settings

BOOKS = (0, 1)
BODY = {"customer_id": "c", "items": [{"product_id": 1, "quantity": 2}, {"product_id": 0, "quantity": 3}]}
Report = dict[str, Any]


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
    found: list[dict[str, Any]] = client.get("/orders", headers=API_KEY).get_json()["orders"]
    return found


def stocks(client: FlaskClient) -> dict[int, int]:
    return {book: client.get(f"/api/v1/books/{book}").get_json()["disponibilidade"] for book in BOOKS}


def die_at(app: Flask, boundary: int) -> Callable[[], int]:
    """Kill this process outright before its `boundary`-th statement or commit; answers a count of them."""
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
    """What `work` reports from a process of its own; None where it was killed."""
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
    """The crash; a report means that the act came to its end before that boundary."""
    client = app.test_client()
    passed = die_at(app, boundary)
    return {"status": act(client), "boundaries": passed()}


def recover(app: Flask, act: Callable[[FlaskClient], int]) -> Report:
    """What a new process finds and makes of it, and what the client reads who tries again."""
    shop, client = shop_of(app), app.test_client()
    found = [order["status"] for order in orders(client)]
    shop.orders.reconcile()
    settled = [order["status"] for order in orders(client)]
    report: Report = {
        "found": found,
        "settled": settled,
        "stocks": stocks(client),
        "mismatches": audit(shop.database, shop.metrics),
        "again": act(client),
    }
    shop.orders.reconcile()
    return report | {
        "finally": [(order["status"], order["payment_status"]) for order in orders(client)],
        "finally_stocks": stocks(client),
        "finally_mismatches": audit(shop.database, shop.metrics),
    }


def main(ready: Path, work: Path, scenario: str) -> Report:
    before, act = SCENARIOS[scenario]
    data = work / "data"
    pristine = work / "pristine"
    shutil.copytree(ready, data)
    app = create_app(make_settings(data))
    start = in_child(lambda: {"stocks": stocks(app.test_client()), "status": before(app.test_client())})
    shutil.copytree(data, pristine)
    crashes: list[Report] = []
    while True:
        shutil.rmtree(data)
        shutil.copytree(pristine, data)
        ended = in_child(lambda: run(app, act, boundary=len(crashes)))
        if ended is not None:
            return {"start": start, "ended": ended, "crashes": crashes}
        crash = in_child(lambda: recover(app, act))
        assert crash is not None
        crashes.append(crash)


if __name__ == "__main__":
    sys.stdout.write(json.dumps(main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3])))
