"""Publication of catalogues: the bundled one at first, then the results of crawls."""

import gc
import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy.orm import Session

from app.core.catalogue import Publication
from app.core.safety_gate import Limits, absurd_prices, publication_blocker
from app.core.scraping import CrawlResult, Difference, StoredBook, compare
from app.storage import catalogue
from app.storage.database import Database
from app.storage.stock import Reason, reserved_copies
from scraper.csv_file import read_books

log = logging.getLogger(__name__)


class CrawlRejected(Exception):
    """A crawl that the safety gate rejects; `reason` is a sentence for people."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)


def publish_crawl(
    session: Session,
    crawl: CrawlResult,
    limits: Limits,
    source_url: str,
    counted_since: datetime | None = None,
    origin: str = catalogue.SCRAPED,
) -> tuple[Publication, Difference]:
    """Publish `crawl` in the caller's transaction.

    Replaces the demonstration catalogue entirely, ids included; changes any other where it differs, and keeps
    its version where nothing does, as an import (`origin`) of the demonstration itself also does. Of absurd prices
    that `limits` allow, the pages count as failed in `crawl` from then on: their books stay as they were, or out.
    `counted_since` is when the supplier began to count the copies, by default now. Raises CrawlRejected, with nothing
    changed.
    """
    with collections_paused():
        return _publish_crawl(session, crawl, limits, source_url, counted_since, origin)


@contextmanager
def collections_paused() -> Iterator[None]:
    """Keep garbage from being collected: with all books in hand, each collection holds up the readers for long.

    There is next to none: what a publication makes refers to nothing in circles.
    """
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def examine_crawl(
    session: Session,
    crawl: CrawlResult,
    limits: Limits,
    stored: Sequence[StoredBook],
    before: Publication | None,
    counted_since: datetime,
    origin: str = catalogue.SCRAPED,
) -> tuple[Difference, Sequence[StoredBook], str | None]:
    """Return the difference, the demonstration books that it replaces, and the reason not to publish it.

    `stored` are the books of `before`, the present publication.
    """
    reserved = reserved_copies(session, counted_since)
    demonstration = stored if before and before.origin == catalogue.DEMONSTRATION else ()
    if origin == catalogue.IMPORTED and demonstration and not compare(stored, crawl, reserved):
        demonstration = ()
    known = () if demonstration else stored
    difference = compare(known, crawl, reserved)
    return (
        difference,
        demonstration,
        publication_blocker(crawl, difference, [book for book in known if book.listed], limits),
    )


def _publish_crawl(
    session: Session,
    crawl: CrawlResult,
    limits: Limits,
    source_url: str,
    counted_since: datetime | None,
    origin: str,
) -> tuple[Publication, Difference]:
    now = datetime.now(UTC)
    catalogue.lock_books(session)
    before = catalogue.load_publication(session, lock=True)
    stored = catalogue.load_stored_books(session)
    difference, demonstration, reason = examine_crawl(
        session, crawl, limits, stored, before, counted_since or now, origin
    )
    if reason:
        raise CrawlRejected(reason)
    absurd = absurd_prices(crawl, difference, limits)
    difference = difference.without(absurd)
    for place in [place for place, book in crawl.read.items() if book.upc in absurd]:
        crawl.fail(place, f"preço absurdo: {absurd[crawl.read[place].upc]}")
    if demonstration:
        catalogue.clear_books(session, now)
    catalogue.apply_difference(session, difference, now)
    difference = replace(difference, removed=(*difference.removed, *demonstration))
    if before and not difference and (origin == catalogue.IMPORTED or before.source_url == source_url):
        return before, difference
    return catalogue.record_publication(session, now, origin, source_url, difference), difference


def publish_demonstration(database: Database, csv_file: Path) -> bool:
    """Publish the bundled demonstration catalogue in an empty shop; return False where there is a catalogue."""
    with database.reading() as session:
        if catalogue.load_publication(session):
            return False
    bundled = read_books(csv_file)
    with database.writing() as session:
        if catalogue.load_publication(session, lock=True):
            return False
        now = datetime.now(UTC)
        added = Difference(added=catalogue.as_listed(bundled))
        catalogue.apply_difference(session, added, now, Reason.BUNDLED)
        catalogue.record_publication(session, now, catalogue.DEMONSTRATION, "", added)
    log.warning("demonstration_catalogue_published", extra={"books": len(bundled)})
    return True
