"""Crawl the whole shop: listing pages by their "next" links, and their product pages meanwhile."""

import contextlib
import threading
import time
import traceback
from collections.abc import Callable, Collection, Generator, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from pathlib import Path
from queue import Empty, SimpleQueue

from scraper.errors import CrawlCancelled, CrawlFailed, FetchFailed, MalformedPage
from scraper.events import (
    CrawlEvent,
    CrawlFinished,
    Idle,
    ListingRead,
    PageFailed,
    ProductRead,
    ProductSkipped,
)
from scraper.fetch import FetchedPage, Fetcher
from scraper.options import DEFAULT_OPTIONS, CrawlOptions
from scraper.parse import Listing, parse_listing, parse_product

__all__ = [
    "CrawlEvent",
    "CrawlFinished",
    "Idle",
    "ListingRead",
    "PageFailed",
    "ProductRead",
    "ProductSkipped",
    "crawl",
]

IDLE_S = 0.5
MAX_CRASH_CHARACTERS = 500
TICK_S = 0.1
"""How soon a cancellation is seen."""


def crawl(
    base_url: str,
    options: CrawlOptions = DEFAULT_OPTIONS,
    *,
    already_read: Collection[str] = frozenset(),
    cancelled: threading.Event | None = None,
) -> Generator[CrawlEvent, None, None]:
    """Read every book of the shop whose first listing page is `base_url`.

    Every listed product yields exactly one of ProductRead, ProductSkipped and PageFailed, in order of arrival.
    No event has the user and the password that `base_url` may contain.
    The crawl starts at the first `next`. Close the generator to stop early (contextlib.closing): that ends its threads.

    Raises CrawlFailed if a listing page cannot be read, as the books behind it would be lost; CrawlCancelled
    soon after `cancelled` is set; ValueError if `base_url` is not an absolute http(s) URL.
    """
    cancelled = cancelled or threading.Event()
    with Fetcher(base_url, options, cancelled) as fetcher:
        pool = ThreadPoolExecutor(options.concurrency, thread_name_prefix="scraper")
        try:
            yield from _Walk(fetcher, pool, options, frozenset(already_read), cancelled).events()
        finally:
            fetcher.stop()
            pool.shutdown(cancel_futures=True)


class _Walk:
    """A crawl under way. Only the iterating thread uses it; workers fetch, and hand the pages over by `_done`.

    The iterating thread parses: a worker that did would keep the shop waiting, and lxml takes the interpreter lock
    back at every tag, so that threads which parse at once mostly hand it around.
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
        self._done: SimpleQueue[Callable[[], CrawlEvent | Listing]] = SimpleQueue()
        self._outstanding = 0
        self._listings: list[str] = []
        self._products: set[str] = set()
        self._first: Listing | None = None

    def events(self) -> Iterator[CrawlEvent]:
        started = time.monotonic()
        self._walk_to(self._fetcher.base_url)
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

    def _submit(self, url: str, parse: Callable[[Future[FetchedPage]], CrawlEvent | Listing]) -> None:
        self._outstanding += 1
        fetched = self._pool.submit(self._fetcher.get, url)
        fetched.add_done_callback(lambda page: self._done.put(partial(parse, page)))

    def _next_result(self) -> CrawlEvent | Listing:
        idle_at = time.monotonic() + IDLE_S
        while True:
            if self._cancelled.is_set():
                raise CrawlCancelled
            with contextlib.suppress(Empty):
                parse = self._done.get(timeout=TICK_S)
                self._outstanding -= 1
                return parse()
            if time.monotonic() >= idle_at:
                return Idle()

    def _walk_to(self, url: str) -> None:
        if url in self._listings:
            raise CrawlFailed(f"a listagem anda em círculo: {url}")
        self._listings.append(url)
        self._submit(url, _read_listing)

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
                self._submit(product_url, partial(_read_product, product_url, position))
        announced = self._first.page_count + self._first.product_count
        pages_total = max(announced, len(self._listings) + len(self._products))
        yield ListingRead(url, page_number, pages_total, first_position, new_urls)
        yield from skipped


def _read_listing(fetched: Future[FetchedPage]) -> Listing:
    try:
        page = fetched.result()
        return parse_listing(page.body, page.url)
    except (FetchFailed, MalformedPage) as error:
        raise CrawlFailed(f"listagem não lida: {error}") from error


def _read_product(url: str, position: int, fetched: Future[FetchedPage]) -> ProductRead | PageFailed:
    try:
        page = fetched.result()
        return ProductRead(url, position, parse_product(page.body, page.url))
    except (FetchFailed, MalformedPage) as error:
        return PageFailed(url, position, error.reason)
    except CrawlCancelled:
        raise
    except Exception as error:  # noqa: BLE001 - a fault that one page meets costs that page
        place = traceback.extract_tb(error.__traceback__)[-1]
        crash = f"{type(error).__name__} in {place.name}, {Path(place.filename).name}:{place.lineno}: {error}"
        return PageFailed(url, position, "falha inesperada na leitura", crash[:MAX_CRASH_CHARACTERS])
