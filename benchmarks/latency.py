"""The latency of reads, alone and while the shop does something else."""

import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from benchmarks.comparison import Options, start_orders
from benchmarks.crawl import demo_site, least_seconds
from benchmarks.datasets import make_books, open_shop, publish
from benchmarks.load import Load, Wrk
from benchmarks.peer_servers import BOOKS, ONE
from benchmarks.programs import ShopServer
from benchmarks.results import Row, Target

CONNECTIONS = 4
TRAINED_WITHIN_S = 120
_WORK = "GET one book, 4 connections, p99"


def measure_latency(options: Options, folder: Path) -> list[Row]:
    return [*_beside_orders_and_training(options, folder), *_beside_scrapes(options, folder)]


def _beside_orders_and_training(options: Options, folder: Path) -> list[Row]:
    with open_shop(folder / "data") as shop:
        publish(shop, make_books(BOOKS))
    with ShopServer(folder / "data") as server:
        header = server.log_in()
        read = _reader(server, options)
        read()
        idle, selling = _pairs(read, lambda: _while_selling(server, read, options), options.pairs)
        idle_too, training = _pairs(read, lambda: _while_training(server, read, header), options.pairs)
    return [
        Row(_WORK, "-", "ms", idle, target=Target(2, at_most=True)),
        Row(f"{_WORK}, while orders are written", "idle", "ms", selling, idle, Target(4, at_most=True)),
        Row(f"{_WORK}, during a training", "idle", "ms", training, idle_too, Target(2, at_most=True)),
    ]


def _beside_scrapes(options: Options, folder: Path) -> list[Row]:
    """The shop begins with the demonstration catalogue, which the first scrape replaces."""
    seconds: list[float] = []
    with ExitStack() as stack:
        site = options.site or stack.enter_context(demo_site())
        server = stack.enter_context(ShopServer(folder / "scraped", SCRAPER_BASE_URL=site))
        header = server.log_in()
        read = _reader(server, options)
        read()
        idle, scraping = _pairs(read, lambda: _while_scraping(server, read, header, seconds), options.pairs)
        pages = server.get("/api/v1/scraping/status").json()["paginas_total"]
    at_least = (least_seconds(pages),) * len(seconds)
    return [
        Row(f"{_WORK}, during a full scrape", "idle", "ms", scraping, idle, Target(2, at_most=True)),
        Row("scrape by the shop, to its publication", "pages x 50 ms / 8", "s", tuple(seconds), at_least),
    ]


def _reader(server: ShopServer, options: Options) -> Callable[[], Load]:
    return lambda: Wrk(f"{server.url}{ONE}", options.seconds, connections=CONNECTIONS).wait()


def _pairs(
    idle: Callable[[], Load], busy: Callable[[], Load], pairs: int
) -> tuple[tuple[float, ...], tuple[float, ...]]:
    loads = [(idle().p99_ms, busy().p99_ms) for _ in range(pairs)]
    return tuple(one for one, _ in loads), tuple(other for _, other in loads)


def _while_selling(server: ShopServer, read: Callable[[], Load], options: Options) -> Load:
    orders = start_orders(server.url, options.seconds + 1)
    load = read()
    orders.wait()
    return load


def _while_training(server: ShopServer, read: Callable[[], Load], header: dict[str, str]) -> Load:
    """Read during a training, which is waited for. Raises AssertionError where it ended before the reads."""
    response = server.post("/api/v1/ml/train", headers=header)
    assert response.status_code == 202, response.text
    load = read()
    assert _trains(server), "the training ended before the reads"
    deadline = time.monotonic() + TRAINED_WITHIN_S
    while _trains(server):
        assert time.monotonic() < deadline, f"still training after {TRAINED_WITHIN_S} s"
        time.sleep(0.1)
    return load


def _trains(server: ShopServer) -> bool:
    status: str = server.get("/api/v1/ml/status").json()["status"]
    return status == "processing"


def _while_scraping(
    server: ShopServer, read: Callable[[], Load], header: dict[str, str], seconds: list[float]
) -> Load:
    """Read during a scrape, whose duration is added to `seconds`. Raises AssertionError where it ended too early."""
    began = time.perf_counter()
    response = server.post("/api/v1/scraping/trigger", headers=header)
    assert response.status_code == 202, response.text
    load = read()
    status = server.get("/api/v1/scraping/status").json()["status"]
    assert status == "processing", f"the scrape ended before the reads: {status}"
    status = server.wait_for_scrape()["status"]
    assert status == "done", f"the scrape ended in {status}"
    seconds.append(time.perf_counter() - began)
    return load
