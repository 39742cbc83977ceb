"""Walks the whole shop: listing pages by their "next" link, and the product pages they name meanwhile."""

import contextlib
import threading
import time
from collections.abc import Callable, Collection, Generator, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from queue import Empty, SimpleQueue

from scraper.book import ScrapedBook
from scraper.errors import CrawlCancelled, CrawlFailed, FetchFailed, MalformedPage
from scraper.fetch import Fetcher
from scraper.options import DEFAULT_OPTIONS, CrawlOptions
from scraper.parse import Listing, parse_listing, parse_product

# One page is parsed at a time, in the whole process. lxml lets the interpreter lock go and takes it back at
# every tag: of eight threads parsing at once, more than half the processor time went into handing it around.
_parsing = threading.Lock()

IDLE_S = 0.5
TICK_S = 0.1  # how soon a cancellation is seen


@dataclass(frozen=True, slots=True)
class ListingRead:
    """A listing page named these products for the first time; the n-th has position `first_position` + n.

    `pages_total` is listing pages plus products as the first listing page announces them.
    """

    url: str
    page_number: int  # from 1
    pages_total: int
    first_position: int
    product_urls: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ProductRead:
    """`url` is the listed one; `book.url` differs from it where the shop redirected."""

    url: str
    position: int  # from 0, in the order of the listings
    book: ScrapedBook


@dataclass(frozen=True, slots=True)
class ProductSkipped:
    """The caller has it already."""

    url: str
    position: int


@dataclass(frozen=True, slots=True)
class PageFailed:
    """A product page that could not be read, however often it was tried; `reason` is in Portuguese."""

    url: str
    position: int
    reason: str


@dataclass(frozen=True, slots=True)
class Idle:
    """Nothing else happened for half a second."""


@dataclass(frozen=True, slots=True)
class CrawlFinished:
    """The last event. Fewer products listed than announced means that the shop changed while it was read."""

    products_announced: int
    products_listed: int
    requests: int
    retries: int
    elapsed_s: float


CrawlEvent = ListingRead | ProductRead | ProductSkipped | PageFailed | Idle | CrawlFinished


def crawl(
    base_url: str,
    options: CrawlOptions = DEFAULT_OPTIONS,
    *,
    already_read: Collection[str] = frozenset(),
    cancelled: threading.Event | None = None,
) -> Generator[CrawlEvent, None, None]:
    """Read every book of the shop whose first listing page is `base_url`.

    Every listed product ends as exactly one of ProductRead, ProductSkipped and PageFailed, in the order in
    which they happen to arrive. Nothing happens before the first `next`. Close the generator if you stop
    early (contextlib.closing): its threads end then.

    Raises CrawlFailed if a listing page cannot be read, as the books behind it would be lost; CrawlCancelled
    soon after `cancelled` is set; ValueError if `base_url` is not an absolute http(s) URL.
    """
    cancelled = cancelled or threading.Event()
    with Fetcher(base_url, options, cancelled) as fetcher:
        pool = ThreadPoolExecutor(options.concurrency, thread_name_prefix="scraper")
        try:
            yield from _Walk(fetcher, pool, options, frozenset(already_read), cancelled).events(base_url)
        finally:
            fetcher.stop()
            pool.shutdown(cancel_futures=True)


class _Walk:
    """One crawl under way. Only the thread that iterates touches it; `_done` is how workers reach it.

    Workers get new pages only when the caller takes a listing's event, so that the pool's queue and `_done`
    together hold about two listings' worth of products, and `max_pages` bounds even those of a hostile shop.
    """

    def __init__(
        self,
        fetcher: Fetcher,
        pool: ThreadPoolExecutor,
        options: CrawlOptions,
        already_read: frozenset[str],
        cancelled: threading.Event,
    ) -> None:
        self._fetcher = fetcher
        self._pool = pool
        self._max_pages = options.max_pages
        self._already_read = already_read
        self._cancelled = cancelled
        self._done: SimpleQueue[Future[CrawlEvent | Listing]] = SimpleQueue()
        self._outstanding = 0
        self._listings: list[str] = []
        self._positions: dict[str, int] = {}
        self._first: Listing | None = None

    def events(self, base_url: str) -> Iterator[CrawlEvent]:
        started = time.monotonic()
        self._walk_to(base_url)
        while self._outstanding:
            result = self._next_result()
            if isinstance(result, Listing):
                yield from self._take_listing(result)
            else:
                yield result
        yield CrawlFinished(
            products_announced=self._first.product_count if self._first else 0,
            products_listed=len(self._positions),
            requests=self._fetcher.requests_sent,
            retries=self._fetcher.retries,
            elapsed_s=time.monotonic() - started,
        )

    def _submit(self, task: Callable[[], CrawlEvent | Listing]) -> None:
        self._outstanding += 1
        self._pool.submit(task).add_done_callback(self._done.put)

    def _next_result(self) -> CrawlEvent | Listing:
        idle_at = time.monotonic() + IDLE_S
        while True:
            if self._cancelled.is_set():
                raise CrawlCancelled
            with contextlib.suppress(Empty):
                future = self._done.get(timeout=TICK_S)
                self._outstanding -= 1
                return future.result()
            if time.monotonic() >= idle_at:
                return Idle()

    def _walk_to(self, url: str) -> None:
        if url in self._listings:
            raise CrawlFailed(f"a listagem anda em círculo: {url}")
        self._listings.append(url)
        self._submit(partial(_read_listing, self._fetcher, url))

    def _take_listing(self, listing: Listing) -> Iterator[CrawlEvent]:
        page_number, url = len(self._listings), self._listings[-1]
        self._first = self._first or listing
        first_position = len(self._positions)
        new = tuple(dict.fromkeys(u for u in listing.product_urls if u not in self._positions))
        self._positions.update(zip(new, range(first_position, first_position + len(new)), strict=True))
        if len(self._listings) + len(self._positions) > self._max_pages:
            raise CrawlFailed(f"o site tem mais de {self._max_pages} páginas")
        # The next listing first: it queues ahead of this one's products, so the workers never run dry.
        if listing.next_url is not None:
            self._walk_to(listing.next_url)
        for product_url in new:
            if product_url not in self._already_read:
                self._submit(partial(_read_product, self._fetcher, product_url, self._positions[product_url]))
        pages_total = self._first.page_count + self._first.product_count
        yield ListingRead(url, page_number, pages_total, first_position, new)
        for product_url in new:
            if product_url in self._already_read:
                yield ProductSkipped(product_url, self._positions[product_url])


def _read_listing(fetcher: Fetcher, url: str) -> Listing:
    try:
        page = fetcher.get(url)
        with _parsing:
            return parse_listing(page.body, page.url)
    except (FetchFailed, MalformedPage) as error:
        raise CrawlFailed(f"listagem não lida: {error}") from error


def _read_product(fetcher: Fetcher, url: str, position: int) -> ProductRead | PageFailed:
    try:
        page = fetcher.get(url)
        with _parsing:
            return ProductRead(url, position, parse_product(page.body, page.url))
    except (FetchFailed, MalformedPage) as error:
        return PageFailed(url, position, error.reason)
