"""What a crawl reports, and each event as one line of JSON."""

import json
from dataclasses import dataclass, fields
from typing import Any, get_args

from scraper.book import ScrapedBook
from scraper.errors import CrawlFailed


@dataclass(frozen=True, slots=True)
class ListingRead:
    """A listing page with the products that it is the first to list; the n-th has position `first_position` + n."""

    url: str
    page_number: int
    """From 1."""
    pages_total: int
    """Listing pages and products, as the first listing page announces them, or as many more as were listed."""
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
    crash: str | None = None
    """The exception, of a page that met a fault of the crawler's own."""


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
_EVENTS = {event.__name__: event for event in get_args(CrawlEvent)}


def encode_event(event: CrawlEvent | CrawlFailed) -> bytes:
    """Write an event, or how the crawl failed, as a line of ASCII."""
    if isinstance(event, CrawlFailed):
        values: dict[str, Any] = {"reason": event.reason}
    else:
        values = {field.name: getattr(event, field.name) for field in fields(event)}
    if isinstance(event, ProductRead):
        values["book"] = event.book.as_json()
    return json.dumps([type(event).__name__, values]).encode() + b"\n"


def decode_event(line: bytes) -> CrawlEvent:
    """Read what `encode_event` wrote. Raises the CrawlFailed that it may be."""
    name, values = json.loads(line)
    match name:
        case "ProductRead":
            values["book"] = ScrapedBook.from_json(values["book"])
        case "ListingRead":
            values["product_urls"] = tuple(values["product_urls"])
        case "CrawlFailed":
            raise CrawlFailed(values["reason"])
    event: CrawlEvent = _EVENTS[name](**values)
    return event
