"""The peers as servers, with the bodies of the running shop."""

import gzip
import json
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import requests

from app.settings import SAMPLE_API_KEY
from benchmarks.datasets import make_books, open_shop, publish
from benchmarks.programs import ROOT, ShopServer, running
from tests.support.server import free_port

BOOKS = 1_000
ONE = "/api/v1/books/0"
LIST = "/api/v1/books"
SEARCH = "/api/v1/books/search?titulo=light"
ORDERS = "/orders"
PROGRAMS = ROOT / ".venv-bench" / "bin"
_GRANIAN = f"{PROGRAMS}/granian --workers 1 --http 1 --no-ws --log-level error"
_WSGI = f"{_GRANIAN} --interface wsgi --blocking-threads 1"
_ASGI = f"{_GRANIAN} --interface asgi"
_UVLOOP = f"{PROGRAMS}/uvicorn --no-access-log --log-level error --loop uvloop --http httptools"
_UVICORN = f"{PROGRAMS}/uvicorn --no-access-log --log-level error --loop asyncio --http h11"
"""As `pip install fastapi uvicorn` leaves it."""
_SERVERS_OWN_HEADERS = {"connection", "content-encoding", "content-length", "date", "server", "x-request-id"}


@dataclass(frozen=True, slots=True)
class Peer:
    """An application of benchmarks/peers, and the command that serves it.

    `paths` are those whose JSON has to be the shop's. Its log line is written by `logging`, as most programs do;
    or where `writes_directly` is true, by one os.write.
    """

    name: str
    module: str
    command: str
    paths: tuple[str, ...] = ()
    writes_directly: bool = False


LIMIT = Peer("the limit: bare WSGI, prebuilt bytes", "limit", _WSGI, (ONE, LIST))
MODELS = Peer(
    "FastAPI + uvicorn + pydantic + instrumentator + log", "fastapi_models", _UVICORN, (ONE, LIST, SEARCH)
)
MODELS_UVLOOP = Peer("that FastAPI with uvloop and httptools", "fastapi_models", _UVLOOP, (ONE, LIST, SEARCH))
BYTES = Peer("FastAPI + uvicorn, prebuilt bytes, metrics + log", "fastapi_bytes", _UVICORN, (ONE, LIST))
BYTES_UVLOOP = Peer(
    "FastAPI, prebuilt bytes, with uvloop and httptools", "fastapi_bytes", _UVLOOP, (ONE, LIST)
)
BLACKSHEEP = Peer(
    "BlackSheep + granian, prebuilt bytes, metrics + log", "blacksheep_bytes", _ASGI, (ONE, LIST)
)
BLACKSHEEP_DIRECT = Peer(
    "the same, its log line one `os.write`", "blacksheep_bytes", _ASGI, (ONE, LIST), writes_directly=True
)
SQLITE = Peer("FastAPI + raw sqlite3, in the thread pool", "orders_sqlite", _UVICORN)
SQLITE_UVLOOP = Peer("the same with uvloop and httptools", "orders_sqlite", _UVLOOP)
SQLITE_ON_LOOP = Peer("that on the event loop, which each commit stops", "orders_sqlite_on_loop", _UVLOOP)
ORM = Peer("FastAPI + SQLAlchemy ORM, in the thread pool", "orders_orm", _UVICORN)


@contextmanager
def contest(folder: Path, *peers: Peer) -> Iterator[dict[str, str]]:
    """Serve the shop with BOOKS books and `peers`; yield the peers' addresses by name, and the shop's as "".

    Raises AssertionError where the body of a peer is not the shop's.
    """
    with open_shop(folder / "data") as shop:
        publish(shop, make_books(BOOKS))
    with ExitStack() as stack:
        server = stack.enter_context(ShopServer(folder / "data"))
        _take_bodies(server, folder)
        urls = {"": server.url}
        for peer in peers:
            url = urls[peer.name] = stack.enter_context(_serve(peer, folder))
            for path in peer.paths:
                body = requests.get(f"{url}{path}", timeout=10).json()
                assert body == server.get(path).json(), f"{peer.name}: {path}"
        yield urls


def _take_bodies(server: ShopServer, folder: Path) -> None:
    one, books = server.get(ONE), server.get(LIST).content
    headers = {name.lower(): value for name, value in one.headers.items()}
    kept = {name: value for name, value in headers.items() if name not in _SERVERS_OWN_HEADERS}
    every = [server.get(f"{LIST}/{book_id}").json() for book_id in range(BOOKS)]
    (folder / "headers.json").write_text(json.dumps(kept))
    (folder / "one.json").write_bytes(one.content)
    (folder / "list.json").write_bytes(books)
    (folder / "list.json.gz").write_bytes(gzip.compress(books, 6))
    (folder / "books.json").write_text(json.dumps(every))


@contextmanager
def _serve(peer: Peer, folder: Path) -> Iterator[str]:
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    command = f"{peer.command} --host 127.0.0.1 --port {port} benchmarks.peers.{peer.module}:application"
    environment = {
        **os.environ,
        "BENCH_API_KEY": SAMPLE_API_KEY,
        "BENCH_FOLDER": str(folder),
        "BENCH_LOG": str(folder / f"{port}.jsonl"),
        "BENCH_WRITES_DIRECTLY": "1" if peer.writes_directly else "",
    }
    with running(command.split(), url, environment):
        yield url
