"""What a scrape changes, and whether to trust it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from urllib.parse import urlsplit

from scraper.book import ScrapedBook


@dataclass(frozen=True, slots=True)
class StoredBook:
    """A book that was ever on sale: its id for ever, whether it is listed now, and what the shop last said.

    The stock in `shown` is without what is reserved; `short` is by how much more is reserved than there is.
    """

    id: int
    listed: bool
    shown: ScrapedBook
    short: int = 0


@dataclass(frozen=True, slots=True)
class Change:
    before: StoredBook
    after: StoredBook


@dataclass(frozen=True, slots=True)
class Difference:
    """What publishing a scrape would do to the catalogue. A book may be repriced and restocked at once."""

    added: tuple[StoredBook, ...] = ()
    returned: tuple[StoredBook, ...] = ()
    removed: tuple[StoredBook, ...] = ()
    repriced: tuple[Change, ...] = ()
    restocked: tuple[Change, ...] = ()
    edited: tuple[Change, ...] = ()

    def changed(self) -> dict[int, StoredBook]:
        """The books already listed of which something is different, by id."""
        return {c.after.id: c.after for c in (*self.repriced, *self.restocked, *self.edited)}

    def __bool__(self) -> bool:
        return any((self.added, self.returned, self.removed, self.repriced, self.restocked, self.edited))


@dataclass(slots=True)
class CrawlResult:
    """What a crawl brought: the books read by their place in the shop, and the pages that failed."""

    announced: int
    read: dict[int, ScrapedBook] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)

    def in_site_order(self) -> list[ScrapedBook]:
        return [self.read[position] for position in sorted(self.read)]


def compare(
    stored: Sequence[StoredBook], crawl: CrawlResult, reserved: Mapping[int, int] | None = None
) -> Difference:
    """What `crawl` changes in `stored`. New books get the next ids, in site order.

    `reserved` is, by id, what is sold and not yet shipped, which the supplier still counts as there.

    A book is recognised by its UPC, or else by its URL. One whose page is listed but failed is still in
    the shop and stays as it was; its path tells which it is, since a shop may be read at another host.
    """
    by_upc = {book.shown.upc: book for book in stored}
    # Where a vanished book and a present one had the same address, it is the present one's.
    by_url = {book.shown.url: book for book in sorted(stored, key=lambda book: book.listed)}
    scraped = crawl.in_site_order()
    scraped_upcs = {book.upc for book in scraped}
    next_id = max((book.id for book in stored), default=-1) + 1
    by_path = {_path(url): book for url, book in by_url.items()}
    failed = {by_path[_path(url)].id for url in crawl.failed if _path(url) in by_path}
    matched: set[int] = set()
    added, returned, repriced, restocked, edited = [], [], [], [], []
    for shown in scraped:
        known = by_upc.get(shown.upc)
        if known is None:
            namesake = by_url.get(shown.url)
            known = namesake if namesake and namesake.shown.upc not in scraped_upcs else None
        if known is None or known.id in matched:
            added.append(StoredBook(next_id, True, shown))
            next_id += 1
            continue
        matched.add(known.id)
        after = _on_sale(known.id, shown, (reserved or {}).get(known.id, 0))
        if not known.listed:
            returned.append(after)
            continue
        change = Change(known, after)
        if _prices(known.shown) != _prices(shown):
            repriced.append(change)
        if (known.shown.stock, known.short) != (after.shown.stock, after.short):
            restocked.append(change)
        if _text(known.shown) != _text(shown):
            edited.append(change)
    removed = [book for book in stored if book.listed and book.id not in matched | failed]
    return Difference(*map(tuple, (added, returned, removed, repriced, restocked, edited)))  # type: ignore[arg-type]


def _on_sale(book_id: int, shown: ScrapedBook, reserved: int) -> StoredBook:
    free = shown.stock - reserved
    return StoredBook(book_id, True, replace(shown, stock=max(0, free)), short=max(0, -free))


def _path(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.path}?{parts.query}"


def _prices(book: ScrapedBook) -> tuple[Decimal, Decimal]:
    return book.price_excl_tax, book.price_incl_tax


def _text(book: ScrapedBook) -> tuple[str | int, ...]:
    return book.url, book.upc, book.title, book.category, book.rating, book.image_url, book.description
