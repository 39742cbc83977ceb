"""Crawl the whole shop: listing pages by their "next" links, and their product pages meanwhile."""

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

IDLE_S = 0.5
TICK_S = 0.1
"""How soon a cancellation is seen."""
_parsing = threading.Lock()
"""Lets one thread of the process parse at a time.

lxml releases the interpreter lock and takes it back at every tag: with eight threads parsing at once, more than half
of the processor time went into handing it around.
"""


@dataclass(frozen=True, slots=True)
class ListingRead:
    """A listing page with the products that it is the first to list; the n-th has position `first_position` + n."""

    url: str
    page_number: int
    """From 1."""
    pages_total: int
    """Listing pages and products, as the first listing page announces them."""
    first_position: int
    product_urls: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ProductRead:
    """A product page; `url` is the listed one, from which `book.url` differs where the shop redirected."""

    url: str
    position: int
    """From 0, in the order of the listings."""
    book: ScrapedBook


@dataclass(frozen=True, slots=True)
class ProductSkipped:
    """A product that the caller has already read."""

    url: str
    position: int


@dataclass(frozen=True, slots=True)
class PageFailed:
    """A product page that could not be read in any attempt; `reason` is in Portuguese."""

    url: str
    position: int
    reason: str


@dataclass(frozen=True, slots=True)
class Idle:
    """A heartbeat: no other event for half a second."""


@dataclass(frozen=True, slots=True)
class CrawlFinished:
    """The last event; fewer products listed than announced mean that the shop changed meanwhile."""

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

    Every listed product yields exactly one of ProductRead, ProductSkipped and PageFailed, in order of arrival.
    The crawl starts at the first `next`. Close the generator to stop early (contextlib.closing): that ends its threads.

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
    """A crawl under way. Only the iterating thread uses it; workers hand their results over by `_done`.

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
        self._products: set[str] = set()
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
            products_listed=len(self._products),
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
        page_number, url, first_position = len(self._listings), self._listings[-1], len(self._products)
        self._first = self._first or listing
        new_urls = tuple(dict.fromkeys(u for u in listing.product_urls if u not in self._products))
        self._products.update(new_urls)
        if len(self._listings) + len(self._products) > self._max_pages:
            raise CrawlFailed(f"o site tem mais de {self._max_pages} páginas")
        # The next listing first: it queues ahead of this one's products, so the workers never run dry.
        if listing.next_url is not None:
            self._walk_to(listing.next_url)
        skipped = []
        for position, product_url in enumerate(new_urls, first_position):
            if product_url in self._already_read:
                skipped.append(ProductSkipped(product_url, position))
            else:
                self._submit(partial(_read_product, self._fetcher, product_url, position))
        pages_total = self._first.page_count + self._first.product_count
        yield ListingRead(url, page_number, pages_total, first_position, new_urls)
        yield from skipped


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
