"""The shop and its peers side by side: reads, searches and orders."""

import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from app.settings import SAMPLE_API_KEY
from benchmarks import peer_servers as peers
from benchmarks.datasets import make_books, search_paths
from benchmarks.load import Load, Wrk
from benchmarks.peer_servers import BOOKS, Peer, contest
from benchmarks.results import Row, Target

GZIP = "Accept-Encoding: gzip"
RATE = "responses/s"


@dataclass(frozen=True, slots=True)
class Options:
    """How often and how long each thing is measured; `site` is the address of a shop to crawl, by default the demo."""

    pairs: int
    seconds: int
    sizes: tuple[int, ...]
    site: str | None = None


Runs = Mapping[str, Callable[[], Load]]


def in_turns(runs: Runs, pairs: int) -> dict[str, list[Load]]:
    """Run each of `runs` once to warm up and then `pairs` times, beginning with another one in each round."""
    names = list(runs)
    loads: dict[str, list[Load]] = {name: [] for name in names}
    for run in runs.values():
        run()
    for number in range(pairs):
        first = number % len(names)
        for name in names[first:] + names[:first]:
            loads[name].append(runs[name]())
    return loads


def compare_one(options: Options, folder: Path) -> list[Row]:
    bounds = {
        peers.LIMIT: 0.75,
        peers.MODELS: 15,
        peers.MODELS_UVLOOP: None,
        peers.BYTES: 7,
        peers.BYTES_UVLOOP: None,
        peers.BLACKSHEEP: 1.4,
        peers.BLACKSHEEP_DIRECT: None,
    }
    with contest(folder, *bounds) as urls:
        runs = {name: _get(f"{url}{peers.ONE}", options) for name, url in urls.items()}
        loads = in_turns(runs, options.pairs)
    return _rows("GET one book", loads, bounds)


def compare_list(options: Options, folder: Path) -> list[Row]:
    bounds = {
        peers.LIMIT: 0.80,
        peers.MODELS: 40,
        peers.MODELS_UVLOOP: None,
        peers.BYTES: 2.5,
        peers.BYTES_UVLOOP: None,
        peers.BLACKSHEEP: 1.1,
        peers.BLACKSHEEP_DIRECT: None,
    }
    with contest(folder, *bounds) as urls:
        runs = {name: _get(f"{url}{peers.LIST}", options) for name, url in urls.items()}
        runs["gzip"] = _get(f"{urls['']}{peers.LIST}", options, GZIP)
        loads = in_turns(runs, options.pairs)
    limit = _rates(loads[peers.LIMIT.name])
    return [
        *_rows("GET the whole list", loads, bounds),
        Row(
            "GET the whole list, gzip",
            f"{peers.LIMIT.name}, plain",
            RATE,
            _rates(loads["gzip"]),
            limit,
            Target(1.5),
        ),
    ]


def compare_search(options: Options, folder: Path) -> list[Row]:
    books = make_books(BOOKS)
    with contest(folder, peers.MODELS, peers.MODELS_UVLOOP) as urls:

        def search(url: str, words: int) -> Callable[[], Load]:
            def run() -> Load:
                return get_paths(url, search_paths(books, words), options, folder)

            return run

        repeated = in_turns({name: search(url, 20) for name, url in urls.items()}, options.pairs)
        new = in_turns({name: search(url, 20_000) for name, url in urls.items()}, options.pairs)
    return [
        *_rows("GET a search, of 20 in turns", repeated, {peers.MODELS: 10, peers.MODELS_UVLOOP: None}),
        *_rows("GET a search, ever new", new, {peers.MODELS: None, peers.MODELS_UVLOOP: None}),
    ]


def compare_orders(options: Options, folder: Path) -> list[Row]:
    bounds = {peers.SQLITE: 1.0, peers.SQLITE_UVLOOP: None, peers.SQLITE_ON_LOOP: None, peers.ORM: 5}
    with contest(folder, *bounds) as urls:
        runs = {name: _order(url, options) for name, url in urls.items()}
        loads = in_turns(runs, options.pairs)
    p99s = tuple(load.p99_ms for load in loads[""])
    return [
        *_rows("POST /orders", loads, bounds),
        Row("POST /orders, p99", "-", "ms", p99s, target=Target(30, at_most=True)),
    ]


def get_paths(url: str, paths: Sequence[str], options: Options, folder: Path, connections: int = 16) -> Load:
    """Request `paths` in turn."""
    file = folder / f"{uuid.uuid4().hex}.txt"
    file.write_text("\n".join(paths))
    return Wrk(url, options.seconds, "paths", str(file), connections=connections).wait()


def start_orders(url: str, seconds: int, books: int = BOOKS) -> Wrk:
    """Order random ones of `books` books at full rate."""
    return Wrk(f"{url}{peers.ORDERS}", seconds, "orders", str(books), uuid.uuid4().hex, SAMPLE_API_KEY)


def _get(url: str, options: Options, *headers: str) -> Callable[[], Load]:
    return lambda: Wrk(url, options.seconds, headers=headers).wait()


def _order(url: str, options: Options) -> Callable[[], Load]:
    return lambda: start_orders(url, options.seconds).wait()


def _rates(loads: Sequence[Load]) -> tuple[float, ...]:
    return tuple(load.rate for load in loads)


def _rows(work: str, loads: Mapping[str, list[Load]], bounds: Mapping[Peer, float | None]) -> list[Row]:
    return [
        Row(
            work,
            peer.name,
            RATE,
            _rates(loads[""]),
            _rates(loads[peer.name]),
            None if bound is None else Target(bound),
        )
        for peer, bound in bounds.items()
    ]
