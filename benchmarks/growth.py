"""How the shop's figures change with the number of its books."""

import random
import signal
import statistics
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.comparison import Options, get_paths, start_orders
from benchmarks.datasets import (
    insert_books,
    make_books,
    near_search_paths,
    open_shop,
    publish,
    repriced,
    search_paths,
)
from benchmarks.load import Wrk
from benchmarks.peer_servers import ONE
from benchmarks.programs import ShopServer, memory_mb
from benchmarks.results import Row, Target
from scraper.book import ScrapedBook

START_WITHIN_S = 180
PUBLISHED_AT_MOST = 100_000
"""Books in one publication; more of them are inserted, since no scrape brings them at once."""
PUBLICATIONS = 3
STARTS = 3
ONE_BOOK = "GET one book, responses/s"
ANY_BOOK = "GET any book, responses/s"
STATISTICS = "GET statistics, responses/s"
ORDERS = "POST /orders, orders/s"
NEW_SEARCH = "a page of a search, ever new, ms"
REPEATED_SEARCH = "a page of a search, repeated, ms"
NEAR_SEARCH = "a search with a slip, ever new, ms"
START = "start to healthy, s"
PUBLISH = "publication of all books, s"
REPUBLISH = "publication, each tenth book repriced, s"
IDLE = "p99 of GET one, 4 connections, ms"
DISTURBED = "the same during a publication, ms"
MEMORY = "memory (PSS), MB"
_PAGE = "&per_page=20&page=1"

Measured = Mapping[str, Mapping[int, tuple[float, ...]]]
"""The values of each figure above, by the number of books."""


@dataclass(frozen=True, slots=True)
class Shop:
    """A running shop, its books, and what it took to make it."""

    server: ShopServer
    books: Sequence[ScrapedBook]
    starts_s: list[float]
    publish_s: float | None

    def figures(self, options: Options, folder: Path) -> dict[str, Callable[[], float]]:
        url, count = self.server.url, len(self.books)

        def page_ms(paths: list[str]) -> float:
            return get_paths(url, paths, options, folder, connections=1).p50_ms

        def any_book() -> float:
            paths = [f"/api/v1/books/{random.randrange(count)}" for _ in range(20_000)]
            return get_paths(url, paths, options, folder).rate

        return {
            ONE_BOOK: lambda: Wrk(f"{url}{ONE}", options.seconds).wait().rate,
            ANY_BOOK: any_book,
            STATISTICS: lambda: Wrk(f"{url}/api/v1/stats/overview", options.seconds).wait().rate,
            ORDERS: lambda: start_orders(url, options.seconds, count).wait().rate,
            NEW_SEARCH: lambda: page_ms(search_paths(self.books, 20_000, _PAGE)),
            REPEATED_SEARCH: lambda: page_ms(search_paths(self.books, 1, _PAGE)),
            NEAR_SEARCH: lambda: page_ms(near_search_paths(self.books, 20_000, _PAGE)),
        }


def measure_growth(options: Options, folder: Path) -> Measured:
    """Measure shops of all sizes in turns, then publications in one after the other."""
    measured: defaultdict[str, defaultdict[int, list[float]]] = defaultdict(lambda: defaultdict(list))
    with ExitStack() as stack:
        shops = {size: stack.enter_context(_shop(size, folder / str(size))) for size in options.sizes}
        figures = {size: shop.figures(options, folder) for size, shop in shops.items()}
        for _ in range(options.pairs):
            for name in figures[options.sizes[0]]:
                for size in shops:
                    measured[name][size].append(figures[size][name]())
        for size, shop in shops.items():
            assert shop.server.process is not None
            if memory := memory_mb(shop.server.process.pid):
                measured[MEMORY][size].append(memory)
            measured[START][size].extend(shop.starts_s)
            if shop.publish_s is not None:
                measured[PUBLISH][size].append(shop.publish_s)
                for name, values in _publish_again(shop, options).items():
                    measured[name][size].extend(values)
    return {name: {size: tuple(values) for size, values in found.items()} for name, found in measured.items()}


@contextmanager
def _shop(size: int, folder: Path) -> Iterator[Shop]:
    books, publish_s = make_books(size), None
    with open_shop(folder / "data") as shop:
        if size <= PUBLISHED_AT_MOST:
            publish_s = publish(shop, books)
        else:
            insert_books(shop, books)
    server, starts_s = ShopServer(folder / "data"), []
    for _ in range(1 + STARTS):  # the first exports the catalogue, which the others find
        if server.running:
            server.end(signal.SIGTERM)
        began = time.perf_counter()
        server.start(START_WITHIN_S)
        starts_s.append(time.perf_counter() - began)
    try:
        yield Shop(server, books, starts_s[1:], publish_s)
    finally:
        server.end(signal.SIGTERM)


def _publish_again(shop: Shop, options: Options) -> dict[str, list[float]]:
    """Publish from a process beside the server, and read meanwhile and until it has the new version."""
    found: dict[str, list[float]] = {IDLE: [], DISTURBED: [], REPUBLISH: []}

    def read() -> float:
        return Wrk(f"{shop.server.url}{ONE}", options.seconds, connections=4).wait().p99_ms

    with open_shop(shop.server.data_dir) as publisher, ThreadPoolExecutor(1) as pool:
        for cents in range(1, min(options.pairs, PUBLICATIONS) + 1):
            found[IDLE].append(read())
            publication = pool.submit(publish, publisher, repriced(shop.books, cents))
            windows = [read()]
            while not publication.done():
                windows.append(read())
            windows.append(read())
            found[DISTURBED].append(max(windows))
            found[REPUBLISH].append(publication.result())
    return found


def growth_rows(measured: Measured) -> list[Row]:
    """Compare the large shops with the smallest, and with their bounds."""
    return [
        *_ratios(measured, ONE_BOOK, {100_000: 1 / 1.2, 1_000_000: 1 / 1.2}),
        *_ratios(measured, ANY_BOOK, {100_000: None, 1_000_000: None}),
        *_ratios(measured, STATISTICS, {100_000: 1 / 1.2, 1_000_000: 1 / 1.2}),
        *_ratios(measured, ORDERS, {100_000: 1 / 1.3}),
        *_values(measured, NEW_SEARCH, {100_000: 10}),
        *_values(measured, REPEATED_SEARCH, {100_000: 10}),
        *_values(measured, NEAR_SEARCH, {1_000: 3, 100_000: 20}),
        *_values(measured, PUBLISH, {100_000: 5}),
        *_values(measured, REPUBLISH, {100_000: 5}),
        *_publications(measured),
        *_memory(measured),
        *_values(measured, START, {100_000: 3, 1_000_000: 6}),
    ]


def _ratios(measured: Measured, name: str, bounds: Mapping[int, float | None]) -> list[Row]:
    what, unit = name.rsplit(", ", 1)
    found = measured.get(name, {})
    return [
        Row(
            f"{what}, {size:,} books",
            f"{min(found):,} books",
            unit,
            found[size],
            found[min(found)],
            None if bound is None else Target(bound),
        )
        for size, bound in bounds.items()
        if size in found
    ]


def _values(measured: Measured, name: str, bounds: Mapping[int, float]) -> list[Row]:
    what, unit = name.rsplit(", ", 1)
    return [
        Row(f"{what}, {size:,} books", "-", unit, measured[name][size], target=Target(bound, at_most=True))
        for size, bound in bounds.items()
        if size in measured.get(name, {})
    ]


def _publications(measured: Measured) -> list[Row]:
    """Whether publications take a time that is linear in the books, and leave readers in peace."""
    rows, published = [], measured.get(PUBLISH, {})
    if 10_000 in published and 100_000 in published:
        large, small = (tuple(1e6 * s / size for s in published[size]) for size in (100_000, 10_000))
        work = "publication, a book of 100,000"
        rows.append(Row(work, "a book of 10,000", "us", large, small, Target(1.2, at_most=True)))
    if 100_000 in measured.get(DISTURBED, {}):
        idle, disturbed = measured[IDLE][100_000], measured[DISTURBED][100_000]
        work = "GET one book, 4 connections, p99, during a publication of 100,000 books"
        rows.append(Row(work, "idle", "ms", disturbed, idle, Target(2, at_most=True)))
    return rows


def _memory(measured: Measured) -> list[Row]:
    sizes = measured.get(MEMORY, {})
    rows = []
    for size in (100_000, 1_000_000):
        if size in sizes:
            grown = statistics.median(sizes[size]) - statistics.median(sizes[min(sizes)])
            kilobytes = 1_000 * grown / (size - min(sizes))
            work = f"memory a book, {size:,} books"
            rows.append(Row(work, "-", "kB", (kilobytes,), target=Target(1.5, at_most=True)))
    return rows
