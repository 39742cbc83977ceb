"""A real server on a database that breaks, and what its clients must see meanwhile."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import requests

from app.factory import create_app
from app.processes import has_ended
from app.services.audit import audit
from app.shop import Shop
from tests.support.orders import API_KEY, order_for, wait_until
from tests.support.server import Server, children_of
from tests.support.shop import make_settings

AT_ONCE_S = 2.0
FROM_MEMORY = ("/livez", "/api/v1/books/1", "/api/v1/books", "/static/livro.svg")


class Buyers:
    """Clients that order one copy of a book each, every one under its own key, again until it is sold."""

    def __init__(self, server: Server, number: int, book: int = 5) -> None:
        self._server = server
        self._keys = [f"key-{number}" for number in range(number)]
        self._body = order_for((book, 1))
        self._stock = server.get(f"/api/v1/books/{book}").json()["disponibilidade"]
        self.longest_s = 0.0

    def buy(self) -> list[requests.Response]:
        """Send all orders at once and return the responses."""
        with ThreadPoolExecutor(len(self._keys)) as pool:
            return list(pool.map(self._order, self._keys))

    def buy_again(self, within_s: float = 60) -> None:
        """Repeat the orders under their keys until each is answered; check that every copy is sold, and once."""
        ids, deadline = set(), time.monotonic() + within_s
        for key in self._keys:
            while (response := self._order(key)).status_code != 201:
                if response.json()["error_type"] == "insufficient_stock":
                    break
                assert response.status_code in (409, 503), response.text
                assert time.monotonic() < deadline, response.text
                time.sleep(0.1)
            else:
                ids.add(response.json()["order_id"])
        assert len(ids) == min(len(self._keys), self._stock)

    def _order(self, key: str) -> requests.Response:
        began = time.monotonic()
        headers = {**API_KEY, "Idempotency-Key": key}
        response = requests.post(f"{self._server.url}/orders", json=self._body, headers=headers, timeout=60)
        self.longest_s = max(self.longest_s, time.monotonic() - began)
        return response


@contextmanager
def watching(server: Server, *, health: int | None = 200) -> Iterator[None]:
    """Ask again and again what needs no database, and the health, which must be `health`: all must answer at once."""
    ended = threading.Event()
    asked = 0
    wrong: list[tuple[str, object, float]] = []

    def watch() -> None:
        nonlocal asked
        while not ended.is_set():
            for path in (*FROM_MEMORY, "/health"):
                began = time.monotonic()
                try:
                    status = requests.get(f"{server.url}{path}", timeout=30).status_code
                except requests.RequestException as error:
                    wrong.append((path, error, time.monotonic() - began))
                    continue
                seconds = round(time.monotonic() - began, 2)
                asked += 1
                if status != (200 if path != "/health" else health or status) or seconds > AT_ONCE_S:
                    wrong.append((path, status, seconds))

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield
        wait_until(lambda: asked > 10 or bool(wrong))
    finally:
        ended.set()
        thread.join(60)
    assert wrong == [], wrong


def wait_for_health(server: Server, status: int, within_s: float) -> str:
    """Wait until the health is `status`, and return what it says."""
    deadline = time.monotonic() + within_s
    while (response := server.get("/health")).status_code != status:
        assert time.monotonic() < deadline, response.text
        time.sleep(0.05)
    body: dict[str, Any] = response.json()
    return str(body.get("detail", ""))


def assert_unavailable(response: requests.Response, sentence: str) -> None:
    assert response.status_code == 503, response.text
    assert response.headers["Retry-After"] == "5"
    assert response.headers["Content-Type"] == "application/problem+json"
    assert (response.json()["detail"], response.json()["error_type"]) == (sentence, "service_unavailable")


def statuses(responses: list[requests.Response]) -> Counter[int]:
    return Counter(response.status_code for response in responses)


def find_mismatches(data_dir: Path, database_url: str = "") -> list[str]:
    """Audit the shop's database, beside its server."""
    app = create_app(make_settings(data_dir, database_url=database_url))
    shop: Shop = app.extensions["shop"]
    try:
        return audit(shop.database, shop.metrics)
    finally:
        shop.stop()
        shop.database.engine.dispose()


def postmaster_of(folder: Path) -> int:
    """Return the process id of the PostgreSQL server that runs in `folder`."""
    return int((folder / "cluster" / "postmaster.pid").read_text().split()[0])


@contextmanager
def frozen(postmaster: int) -> Iterator[Callable[[], None]]:
    """Stop PostgreSQL with its backends, as a machine that hangs does; yield what lets it go on."""
    pids = [postmaster, *children_of(postmaster)]
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)

    def thaw() -> None:
        for pid in reversed(pids):
            try:
                os.kill(pid, signal.SIGCONT)
            except ProcessLookupError:
                continue

    try:
        yield thaw
    finally:
        thaw()


@contextmanager
def killed(postmaster: int, folder: Path) -> Iterator[Callable[[], None]]:
    """Kill PostgreSQL outright, as a machine that loses its power does; yield what starts it again in `folder`."""
    command = Path(f"/proc/{postmaster}/cmdline").read_text().split("\0")[:-1]
    owner = (folder / "cluster").stat()
    backends = children_of(postmaster)
    os.kill(postmaster, signal.SIGKILL)
    os.waitpid(postmaster, 0)  # its successor would take a zombie for a server that runs
    wait_until(
        lambda: all(has_ended(pid) for pid in backends)
    )  # each notices by itself, as its successor wants
    started: list[subprocess.Popen[bytes]] = []

    def restart() -> None:
        with (folder / "log").open("ab") as log:
            started.append(
                subprocess.Popen(
                    command, cwd=folder, stdout=log, stderr=log, user=owner.st_uid, group=owner.st_gid
                )
            )

    try:
        yield restart
    finally:
        for process in started:
            process.send_signal(signal.SIGINT)
            process.wait(20)


@contextmanager
def small_disk(folder: Path, megabytes: int = 24) -> Iterator[Path]:
    """Mount a disk of its own on `folder`."""
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", str(folder)], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def fill(path: Path) -> None:
    """Write to a file until its disk is full."""
    with suppress(OSError), path.open("wb", buffering=0) as file:
        while True:
            file.write(b"x" * 4_096)
