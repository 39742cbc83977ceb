"""Scrapes: what a crawl changes in the catalogue, and the runs that crawl."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from enum import StrEnum
from typing import Self
from urllib.parse import urlsplit

from app.core.runs import Run
from scraper.book import ScrapedBook

IMPORT_SOURCE = "importação"
"""The beginning of the `base_url` of a run that imported a file, which is no URL."""


@dataclass(frozen=True, slots=True)
class StoredBook:
    """A book that was ever on sale, with its permanent id and the latest content of its page.

    The stock in `page` is without the reserved copies; `short` counts the reserved copies beyond the supplier's.
    """

    id: int
    listed: bool
    page: ScrapedBook
    short: int = 0


@dataclass(frozen=True, slots=True)
class Change:
    before: StoredBook
    after: StoredBook


class ChangeKind(StrEnum):
    """What a run did to a book; one that returned counts as added."""

    ADDED = "adicionados"
    REMOVED = "removidos"
    REPRICED = "reprecificados"
    RESTOCKED = "reestocados"
    EDITED = "editados"


@dataclass(frozen=True, slots=True)
class Difference:
    """What publishing a crawl would do to the catalogue. A book may be repriced and restocked at once."""

    added: tuple[StoredBook, ...] = ()
    returned: tuple[Change, ...] = ()
    removed: tuple[StoredBook, ...] = ()
    repriced: tuple[Change, ...] = ()
    restocked: tuple[Change, ...] = ()
    edited: tuple[Change, ...] = ()

    def changed(self) -> dict[int, StoredBook]:
        """Return the listed books with a change, by id, as they are afterwards."""
        return {c.after.id: c.after for c in (*self.repriced, *self.restocked, *self.edited)}

    def superseded(self) -> list[StoredBook]:
        """Return the books whose page now says something else, prices and stock aside, as they were before."""
        changes = (*self.edited, *self.returned)
        return [
            change.before for change in changes if text_of(change.before.page) != text_of(change.after.page)
        ]

    def without(self, upcs: Collection[str]) -> Self:
        """Return the same less the books whose new pages have these UPCs; the others of the added ones move up."""

        def kept(changes: Iterable[Change]) -> tuple[Change, ...]:
            return tuple(change for change in changes if change.after.page.upc not in upcs)

        pages = (book.page for book in self.added if book.page.upc not in upcs)
        first_id = self.added[0].id if self.added else 0
        return replace(
            self,
            added=tuple(StoredBook(book_id, True, page) for book_id, page in enumerate(pages, first_id)),
            returned=kept(self.returned),
            repriced=kept(self.repriced),
            restocked=kept(self.restocked),
            edited=kept(self.edited),
        )

    def __bool__(self) -> bool:
        return any((self.added, self.returned, self.removed, self.repriced, self.restocked, self.edited))


@dataclass(slots=True)
class CrawlResult:
    """The books that a crawl read, by their place in the shop, and the reasons of failed pages, by URL.

    `redirected` has, by place, where the shop redirected the page of a book. Of a `partial` result nothing tells which
    books it lacks: none counts as gone.
    """

    announced: int
    read: dict[int, ScrapedBook] = field(default_factory=dict)
    redirected: dict[int, str] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)
    pages_total: int = 0
    pages_done: int = 0
    pages_reused: int = 0
    partial: bool = False

    def fail(self, place: int, reason: str) -> None:
        """Have the page that was read at `place` count as one that failed."""
        self.failed[self.read.pop(place).url] = reason

    def fail_repeated(self) -> None:
        """Have each page fail that was redirected to a book which another page has too."""
        first: dict[str, str] = {}
        for place in sorted(self.read, key=lambda place: (place in self.redirected, place)):
            book = self.read[place]
            url = first.setdefault(book.upc, book.url)
            if url != book.url and place in self.redirected:
                self.fail(place, f"redireciona a {self.redirected[place]}, livro já lido em {url}")

    def in_site_order(self) -> list[ScrapedBook]:
        return [self.read[position] for position in sorted(self.read)]


@dataclass(frozen=True, slots=True)
class ReportedBook:
    """A book in the report of a run. Values are `(before, after)`, prices in pounds.

    A value is None if its kind of change does not report it, a side if the book was not on sale then.
    """

    id: int
    title: str
    price_incl_tax: tuple[float | None, float | None] | None = None
    price_excl_tax: tuple[float | None, float | None] | None = None
    stock: tuple[int | None, int | None] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ScrapeRun(Run):
    """One scrape, or one import, whose pages are rows. `pages_reused` were read by the run that it resumes."""

    base_url: str
    resumed_from: int | None
    cancelled_by: str | None
    pages_total: int
    pages_done: int
    pages_failed: int
    pages_reused: int
    books_read: int
    published_version: int | None
    change_counts: Mapping[ChangeKind, int] | None

    @property
    def is_import(self) -> bool:
        return self.base_url.startswith(IMPORT_SOURCE)


@dataclass(frozen=True, slots=True)
class ScrapeRunDetail:
    """A run with the books that it changed (None unless it published) and the reasons of failed pages, by URL."""

    run: ScrapeRun
    changes: Mapping[ChangeKind, Sequence[ReportedBook]] | None
    failures: Mapping[str, str]


def compare(
    stored: Sequence[StoredBook], crawl: CrawlResult, reserved: Mapping[int, int] | None = None
) -> Difference:
    """Return what `crawl` changes in `stored`. New books get the next ids, in site order.

    `reserved` is, by id, the number of copies sold and not yet shipped, which the supplier still counts.

    A book is recognised by its UPC, or else by its URL, or by its looks where a file brought it that had neither. A
    book whose page is listed but failed is still in the shop and stays as it was; its path identifies it, since a shop
    may be read at another host.
    """
    by_upc = {book.page.upc: book for book in stored}
    # Where a vanished book and a present one had the same address, it is the present one's.
    last_listed = sorted(stored, key=lambda book: book.listed)
    by_url = {book.page.url: book for book in last_listed if book.page.url}
    by_looks = {looks_of(book.page): book for book in last_listed if not book.page.url}
    pages = crawl.in_site_order()
    upcs = {page.upc for page in pages}
    new: list[ScrapedBook] = []
    matches: dict[int, Change] = {}
    for page in pages:
        known = by_upc.get(page.upc) or _unless_found(
            by_url.get(page.url) or by_looks.get(looks_of(page)), upcs
        )
        if known is None or known.id in matches:
            new.append(page)
        else:
            after = _on_sale(known.id, page, (reserved or {}).get(known.id, 0))
            matches[known.id] = Change(known, known if after == known else after)
    gone = {book.id for book in stored if book.listed and not crawl.partial}
    gone -= matches.keys() | _failed_ids(by_url, crawl.failed.keys())
    first_id = max((book.id for book in stored), default=-1) + 1
    classified = ((change, _classify(change)) for change in matches.values() if change.before.listed)
    changes = [(change, kinds) for change, kinds in classified if kinds]

    def of(kind: ChangeKind) -> tuple[Change, ...]:
        return tuple(change for change, kinds in changes if kind in kinds)

    return Difference(
        added=tuple(StoredBook(book_id, True, page) for book_id, page in enumerate(new, first_id)),
        returned=tuple(change for change in matches.values() if not change.before.listed),
        removed=tuple(book for book in stored if book.id in gone),
        repriced=of(ChangeKind.REPRICED),
        restocked=of(ChangeKind.RESTOCKED),
        edited=of(ChangeKind.EDITED),
    )


def looks_of(page: ScrapedBook) -> tuple[str, str]:
    """Return what tells a book apart where its UPC is unknown: many share a title, and some shops an image."""
    return page.title, page.image_url


def _unless_found(book: StoredBook | None, upcs: set[str]) -> StoredBook | None:
    """Return the book that a page seems to be, unless the crawl found that book on another page."""
    return book if book is not None and book.page.upc not in upcs else None


def _failed_ids(by_url: Mapping[str, StoredBook], failed_urls: Collection[str]) -> set[int]:
    by_path = {_path(url): book.id for url, book in by_url.items()} if failed_urls else {}
    return {by_path[_path(url)] for url in failed_urls if _path(url) in by_path}


def _on_sale(book_id: int, page: ScrapedBook, reserved: int) -> StoredBook:
    if not reserved:
        return StoredBook(book_id, True, page)
    free = page.stock - reserved
    return StoredBook(book_id, True, replace(page, stock=max(0, free)), short=max(0, -free))


def _classify(change: Change) -> set[ChangeKind]:
    """Return how a listed book changed; no kind at all where nothing is different."""
    before, after = change.before, change.after
    if before is after:
        return set()
    differences = {
        ChangeKind.REPRICED: _prices(before.page) != _prices(after.page),
        ChangeKind.RESTOCKED: (before.page.stock, before.short) != (after.page.stock, after.short),
        ChangeKind.EDITED: text_of(before.page) != text_of(after.page),
    }
    return {kind for kind, differs in differences.items() if differs}


def _path(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.path}?{parts.query}"


def _prices(book: ScrapedBook) -> tuple[Decimal, Decimal]:
    return book.price_excl_tax, book.price_incl_tax


def text_of(book: ScrapedBook) -> tuple[str | int, ...]:
    """Return what a page says of its book, without prices and stock."""
    return book.url, book.upc, book.title, book.category, book.rating, book.image_url, book.description
