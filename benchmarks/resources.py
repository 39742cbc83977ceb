"""What the shop takes besides its requests: a crawl, memory, and the time to start."""

from contextlib import ExitStack
from pathlib import Path

from benchmarks.cold_start import seconds_to_healthy
from benchmarks.comparison import Options
from benchmarks.crawl import demo_site, least_seconds, timed_crawl
from benchmarks.datasets import make_books, open_shop, publish
from benchmarks.load import Wrk
from benchmarks.peer_servers import BOOKS, LIST, ONE
from benchmarks.programs import ShopServer, memory_mb
from benchmarks.results import Row, Target
from tests.support.server import ROOT


def measure_crawl(options: Options, _folder: Path) -> list[Row]:
    with ExitStack() as stack:
        site = options.site or stack.enter_context(demo_site())
        crawls = [timed_crawl(site) for _ in range(options.pairs)]
    seconds = tuple(seconds for seconds, _ in crawls)
    at_least = tuple(least_seconds(requests) for _, requests in crawls)
    target = Target(1.25, at_most=True)
    return [Row("crawl, cap 8, 50 ms a page", "pages x 50 ms / 8", "s", seconds, at_least, target)]


def measure_memory(options: Options, folder: Path) -> list[Row]:
    """Measure supervisor and worker after reads at full rate; return nothing where the system can't tell."""
    with open_shop(folder / "data") as shop:
        publish(shop, make_books(BOOKS))
    sizes = []
    for _ in range(options.pairs):
        with ShopServer(folder / "data") as server:
            for path in (ONE, LIST):
                Wrk(f"{server.url}{path}", options.seconds).wait()
            assert server.process is not None
            memory = memory_mb(server.process.pid)
        if memory is None:
            return []
        sizes.append(memory)
    target = Target(200, at_most=True)
    return [Row("memory of supervisor and worker (PSS), 1,000 books", "-", "MB", tuple(sizes), target=target)]


def measure_start(options: Options, folder: Path) -> list[Row]:
    seconds_to_healthy(ROOT, folder / "data")
    seconds = tuple(seconds_to_healthy(ROOT, folder / "data") for _ in range(options.pairs))
    return [Row("start to healthy", "-", "s", seconds, target=Target(1.2, at_most=True))]
