"""Runs that end with a publication, and among them scrapes, from their first page to their end."""

import contextlib
import logging
import threading
import time
from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import replace

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from app.core.books import Publication
from app.core.runs import RunStatus
from app.core.safety_gate import Limit, Limits
from app.core.scraping import CrawlResult, Difference, ScrapeRun
from app.services.background import BackgroundRun, RunFailed, RunKind
from app.services.catalogue import CrawlRejected, collections_paused, publish_crawl
from app.settings import Settings
from app.storage import scraping
from app.storage.database import Database
from app.storage.faults import fault_of
from scraper.book import ScrapedBook
from scraper.child_process import crawl_in_child
from scraper.errors import CrawlCancelled, CrawlFailed
from scraper.events import (
    CrawlEvent,
    CrawlFinished,
    Idle,
    ListingRead,
    PageFailed,
    ProductRead,
    ProductSkipped,
)
from scraper.options import CrawlOptions

log = logging.getLogger(__name__)

SAVE_EVERY_S = 0.5
PUBLISH_WITHIN_S = 60.0
"""Seconds that PostgreSQL may take for each lock and statement of a publication: a whole crawl would be in vain."""
Staged = Mapping[str, ScrapedBook]


class PublishingRun(BackgroundRun[ScrapeRun]):
    """A run that ends by publishing `result`, if the safety gate lets it pass."""

    def __init__(
        self, kind: RunKind[ScrapeRun], run: ScrapeRun, settings: Settings, database: Database
    ) -> None:
        super().__init__(kind, run, settings, database)
        self.result = CrawlResult(announced=0)
        self._cancelled = threading.Event()

    def cancel(self) -> None:
        """End the run as cancelled, soon."""
        self._cancelled.set()

    def stop(self) -> None:
        """End the run as interrupted, soon."""
        super().stop()
        self._cancelled.set()

    @abstractmethod
    def _publish_in(self, session: Session) -> tuple[Publication, Difference]:
        """Publish the result in a transaction of the run."""

    def _publish(self) -> tuple[Publication, Difference]:
        with (
            collections_paused(),
            self._database.writing(PUBLISH_WITHIN_S) as session,
        ):  # which holds up orders
            self._renew_lease(session)
            if self._cancelled.is_set() or scraping.is_cancelled(session, self.run.id):
                raise CrawlCancelled
            publication, difference = self._publish_in(session)
            scraping.save_publication(session, self.run.id, publication.version, difference)
            self._record_end(session, RunStatus.DONE)
        return publication, difference

    def _record_end(self, session: Session, status: RunStatus, reason: str | None = None) -> None:
        super()._record_end(session, status, reason)
        scraping.save_progress(session, self.run.id, self.result)
        scraping.save_failures(session, self.run.id, self.result.failed)


class BackgroundScrape(PublishingRun):
    """Crawls, stages what arrives, and publishes it if the safety gate lets it pass.

    Where it is stopped, its pages stay staged for the next one.
    """

    def __init__(
        self, kind: RunKind[ScrapeRun], run: ScrapeRun, settings: Settings, database: Database, staged: Staged
    ) -> None:
        """`staged` are the books that the run resumes with, by listed URL."""
        super().__init__(kind, run, settings, database)
        self._staged = staged
        self._unsaved: dict[str, ScrapedBook] = {}
        self._saved_at = time.monotonic()
        self._leaves_pages = True

    def work(self) -> None:
        try:
            self._crawl()
            self._publish()
        except CrawlCancelled:
            raise RunFailed("Cancelado a pedido.", RunStatus.CANCELLED) from None
        except CrawlFailed as error:
            raise RunFailed(f"O site não pôde ser lido: {error.reason}") from error
        except CrawlRejected as error:
            raise RunFailed(error.reason) from error
        except SQLAlchemyError as error:
            self._leaves_pages = self._leaves_pages or fault_of(error) is not None
            raise

    def _crawl(self) -> None:
        settings = self._settings
        options = CrawlOptions(
            concurrency=settings.scraper_concurrency,
            max_attempts=settings.scraper_max_attempts,
            connect_timeout_s=settings.scraper_connect_timeout_s,
            read_timeout_s=settings.scraper_read_timeout_s,
        )
        events = crawl_in_child(
            settings.scraper_base_url, options, already_read=self._staged.keys(), cancelled=self._cancelled
        )
        with contextlib.closing(events):
            for event in events:
                self._handle(event)
                if time.monotonic() - self._saved_at > SAVE_EVERY_S:
                    self._save()
        self._save()

    def _handle(self, event: CrawlEvent) -> None:
        result = self.result
        match event:
            case ListingRead():
                result.pages_total = event.pages_total
            case ProductRead():
                self._unsaved[event.url] = event.book
                self._take(event.position, event.url, event.book)
            case ProductSkipped():
                self._take(event.position, event.url, self._staged[event.url])
                result.pages_reused += 1
            case PageFailed():
                result.failed[event.url] = event.reason
                if event.crash:
                    log.error(
                        "scrape_page_crashed",
                        extra={"run_id": self.run.id, "url": event.url, "reason": event.crash},
                    )
            case CrawlFinished():
                result.announced = event.products_announced
                return
            case Idle():
                return
        result.pages_done += 1

    def _take(self, position: int, url: str, book: ScrapedBook) -> None:
        """Take the page listed at `url`, which a redirect may have led away."""
        if book.url != url:
            self.result.redirected[position] = book.url
            book = replace(book, url=url)  # a page that fails is known by no other
        self.result.read[position] = book

    def _save(self) -> None:
        """Stage what arrived, show progress and renew the lease, in one transaction."""
        with self._database.writing() as session:
            self._renew_lease(session)
            scraping.stage_books(session, self.run.id, self._unsaved, self._database.now(session))
            scraping.save_progress(session, self.run.id, self.result)
            cancelled = scraping.is_cancelled(session, self.run.id)
        self._unsaved.clear()
        self._saved_at = time.monotonic()
        if cancelled:
            raise CrawlCancelled

    def _publish_in(self, session: Session) -> tuple[Publication, Difference]:
        # What was tried and failed would fail again: the next run reads the shop anew.
        self._leaves_pages = False
        self.result.fail_repeated()
        counted_since = scraping.counting_started_at(session, self.run)
        return publish_crawl(
            session, self.result, gate_limits(self._settings), self.run.base_url, counted_since
        )

    def _record_end(self, session: Session, status: RunStatus, reason: str | None = None) -> None:
        super()._record_end(session, status, reason)
        # A run that broke off leaves its pages to the next one, unlike one that was cancelled.
        if status in (RunStatus.DONE, RunStatus.CANCELLED) or not self._leaves_pages:
            scraping.drop_staged(session, self.run.id)


def gate_limits(settings: Settings) -> Limits:
    """Return what the settings let the safety gate pass."""
    return Limits(
        max_failed_share=Limit(settings.scraper_max_failed_share, "SCRAPER_MAX_FAILED_SHARE"),
        max_vanished_share=Limit(settings.scraper_max_vanished_share, "SCRAPER_MAX_VANISHED_SHARE"),
        max_lost_category_share=Limit(
            settings.scraper_max_lost_category_share, "SCRAPER_MAX_LOST_CATEGORY_SHARE"
        ),
        max_renamed_share=Limit(settings.scraper_max_renamed_share, "SCRAPER_MAX_RENAMED_SHARE"),
        max_sold_out_share=Limit(settings.scraper_max_sold_out_share, "SCRAPER_MAX_SOLD_OUT_SHARE"),
        max_absurd_price_share=Limit(
            settings.scraper_max_absurd_price_share, "SCRAPER_MAX_ABSURD_PRICE_SHARE"
        ),
        max_price=settings.scraper_max_price,
        max_price_factor=settings.scraper_max_price_factor,
    )
