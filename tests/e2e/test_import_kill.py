"""The server killed outright in the middle of imports: the catalogue is the old one or the new one, whole."""

from __future__ import annotations

import random
import signal
import threading
import time
from collections.abc import Callable

import pytest
import requests

from app.services.scraping import ORPHANED
from tests.support.catalogue_csv import as_csv, seed_rows
from tests.support.imports import IMPORT
from tests.support.server import Server

KILLS = 6
BOOKS = 5_000
"""Enough for an import to last."""


def import_of(price: str) -> bytes:
    return as_csv([dict(row, preco_com_taxa=price, preco_sem_taxa=price) for row in seed_rows(BOOKS)])


def send(server: Server, data: bytes, header: dict[str, str]) -> requests.Response:
    headers = {**header, "Content-Type": "text/csv"}
    return requests.post(f"{server.url}{IMPORT}", data=data, headers=headers, timeout=60)


def test_killed_at_any_moment_an_import_leaves_the_old_catalogue_or_the_new_one(
    start_on: Callable[..., Server],
) -> None:
    server = start_on(RUNS_PER_MINUTE="10000")
    began = time.monotonic()
    assert send(server, import_of("10.00"), server.log_in()).status_code == 200
    lasts_s = time.monotonic() - began
    moments = random.Random(2026)
    catalogue = {"10.00": server.get("/api/v1/books/0").json()["preco_com_taxa"]}
    assert catalogue == {"10.00": 10.0}
    published, died_in_the_middle = 10.0, 0
    for kill in range(KILLS):
        price = f"{11 + kill}.00"
        header = server.log_in()
        lost: list[BaseException] = []

        def try_to_import(data: bytes, header: dict[str, str], lost: list[BaseException]) -> None:
            try:
                send(server, data, header)
            except requests.RequestException as error:
                lost.append(error)

        thread = threading.Thread(target=try_to_import, args=(import_of(price), header, lost))
        thread.start()
        time.sleep(moments.uniform(0, lasts_s))  # the moment of death, not a wait for something
        server.end(signal.SIGKILL, workers_too=True)
        thread.join(30)
        server.start()
        prices = {book["preco_com_taxa"] for book in server.get("/api/v1/books?page=1&per_page=1000").json()}
        assert prices in ({published}, {float(price)}), "never some of both"
        if prices == {published}:
            died_in_the_middle += bool(lost)
        published = prices.pop()
    runs = server.get("/api/v1/scraping/runs", headers=server.log_in()).json()
    assert {run["status"] for run in runs} <= {"interrupted", "done"}
    assert all(run["motivo"] == ORPHANED for run in runs if run["status"] == "interrupted")
    assert died_in_the_middle >= KILLS // 3
    assert "interrupted" in {run["status"] for run in runs}, "none died while it had the lease"
    assert send(server, import_of("99.00"), server.log_in()).status_code == 200, "the lease is free"
    assert server.get("/api/v1/books/0").json()["preco_com_taxa"] == 99.0
    assert server.flask("audit").returncode == 0


def test_a_file_of_ten_megabytes_is_imported_by_the_real_server_and_a_larger_one_is_not(
    start_server: Callable[..., Server],
) -> None:
    server = start_server()
    file = as_csv(
        [dict(row, descricao="x" * 1_800) for row in seed_rows(BOOKS)], (*seed_rows(1)[0], "descricao")
    )
    assert 9_000_000 < len(file) < 10_000_000
    header = server.log_in()
    response = send(server, file, header)
    assert (response.status_code, response.json()["aceitas"]) == (200, BOOKS)
    assert send(server, file.ljust(10_000_001), header).status_code == 413
    assert send(server, file, {}).status_code == 401
    with pytest.raises(requests.RequestException):
        requests.post(f"{server.url}/api/v1/auth/login", data=file, timeout=10).raise_for_status()
