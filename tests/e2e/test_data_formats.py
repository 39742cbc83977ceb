"""What programs that read tables make of the real server's lists, in one line each."""

from __future__ import annotations

import socket
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import pandas as pd
import pytest
import requests
from pandas.api.types import is_string_dtype

from app.factory import create_app
from app.services.catalogue import publish_crawl
from app.shop import Shop
from tests.support.books import TRUSTING, make_crawl, make_scraped
from tests.support.orders import wait_until
from tests.support.server import Server
from tests.support.shop import make_settings

BOOKS = "/api/v1/books"
TYPES = {
    "id": "int64",
    "preco_com_taxa": "float64",
    "preco_sem_taxa": "float64",
    "rating": "int64",
    "disponibilidade": "int64",
}
TEXTS = ("titulo", "categoria", "url_imagem")
LONG = 12_000
LONG_TITLE = "x" * 700
"""So that a list is longer than what the kernel takes off the server's hands."""


def without_empty(frame: pd.DataFrame) -> pd.DataFrame:
    """Drop the columns of keys that none of the items has, as `aproximado` in what is found exactly."""
    return frame.dropna(axis="columns", how="all")


def check_types(frame: pd.DataFrame) -> None:
    for column in frame:
        if column in TEXTS:
            assert is_string_dtype(frame[column])
        else:
            assert str(frame[column].dtype) == TYPES[str(column)], column


@pytest.mark.parametrize(
    "path", [BOOKS, f"{BOOKS}/search", "/api/v1/ml/features", "/api/v1/ml/training-data"]
)
def test_one_line_of_pandas_gives_a_frame_with_the_right_types(
    start_server: Callable[..., Server], path: str
) -> None:
    url = f"{start_server().url}{path}"
    from_csv = without_empty(pd.read_csv(f"{url}?formato=csv"))
    from_lines = pd.read_json(f"{url}?formato=ndjson", lines=True)
    from_json = pd.read_json(url)
    compressed = {"Accept": "text/csv", "Accept-Encoding": "gzip"}
    from_header = without_empty(pd.read_csv(url, storage_options=compressed))
    assert len(from_csv) == 1_000
    for frame in (from_csv, from_lines, from_json, from_header):
        check_types(frame)
        pd.testing.assert_frame_equal(frame, from_csv)
    assert [*from_csv] == [*requests.get(url, timeout=10).json()[0]]


def test_the_two_sides_of_the_split_are_frames_too(start_server: Callable[..., Server]) -> None:
    url = f"{start_server().url}/api/v1/ml/training-data?formato=csv"
    training, testing = (pd.read_csv(f"{url}&divisao={name}&semente=42") for name in ("treino", "teste"))
    assert len(training) + len(testing) == 1_000
    check_types(testing)
    whole = pd.read_csv(url)
    key = [*whole]
    joined = pd.concat([training, testing]).sort_values(key, ignore_index=True)
    pd.testing.assert_frame_equal(joined, whole.sort_values(key, ignore_index=True))


@pytest.fixture
def long_shop(tmp_path: Path, start_server: Callable[..., Server]) -> Server:
    """A server with LONG books on sale and few threads."""
    app = create_app(make_settings(tmp_path / "data"))
    shop: Shop = app.extensions["shop"]
    books = [make_scraped(f"{number:05}", title=f"Livro {number} {LONG_TITLE}") for number in range(LONG)]
    with shop.database.writing() as session:
        publish_crawl(session, make_crawl(*books), TRUSTING, "https://shop.invalid/")
    shop.stop()
    shop.database.engine.dispose()
    return start_server(WEB_THREADS="6")


def test_a_list_too_long_for_one_page_is_read_whole(long_shop: Server) -> None:
    assert len(pd.read_csv(f"{long_shop.url}{BOOKS}?formato=csv")) == LONG
    assert len(pd.read_json(f"{long_shop.url}{BOOKS}?formato=ndjson", lines=True)) == LONG
    assert len(long_shop.get("/api/v1/ml/training-data").json()) == LONG
    assert len(long_shop.get(BOOKS).json()) == 10_000


def test_clients_that_read_a_long_list_slowly_keep_no_other_from_the_shop(long_shop: Server) -> None:
    request = f"GET {BOOKS}?formato=ndjson HTTP/1.1\r\nHost: x\r\n\r\n".encode()
    with ExitStack() as clients:
        statuses = []
        for _ in range(8):
            client = clients.enter_context(socket.socket())
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
            client.settimeout(10)
            client.connect(("127.0.0.1", long_shop.port))
            client.sendall(request)
            statuses.append(client.recv(12))
        assert statuses == [b"HTTP/1.1 200"] + 7 * [b"HTTP/1.1 503"], "one stream for every four threads"
        for _ in range(8):
            assert long_shop.get(f"{BOOKS}/0").elapsed.total_seconds() < 2
    wait_until(lambda: long_shop.get(f"{BOOKS}?formato=ndjson").status_code == 200)
