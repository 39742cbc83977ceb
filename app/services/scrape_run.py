"""One scraping run, from its first page to its end."""

import contextlib
import threading
import time
from collections.abc import Mapping
from dataclasses import replace

from sqlalchemy.orm import Session

from app.core.runs import RunStatus
from app.core.safety_gate import Limit, Limits
from app.core.scraping import CrawlResult, ScrapeRun
from app.services.background import BackgroundRun, RunFailed, RunKind
from app.services.catalogue import CrawlRejected, publish_crawl
from app.settings import Settings
from app.storage import scraping
from app.storage.database import Database
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

SAVE_EVERY_S = 0.5
PUBLISH_WITHIN_S = 60.0
"""Seconds that PostgreSQL may take for each lock and statement of a publication: a whole crawl would be in vain."""
Staged = Mapping[str, ScrapedBook]


class BackgroundScrape(BackgroundRun[ScrapeRun]):
    """Crawls, stages what arrives, and publishes it if the safety gate lets it pass."""

    def __init__(
        self, kind: RunKind[ScrapeRun], run: ScrapeRun, settings: Settings, database: Database, staged: Staged
    ) -> None:
        """`staged` are the books that the run resumes with, by listed URL."""
        super().__init__(kind, run, settings, database)
        self.result = CrawlResult(announced=0)
        self._staged = staged
        self._cancelled = threading.Event()
        self._unsaved: dict[str, ScrapedBook] = {}
        self._saved_at = time.monotonic()
        self._rejected = False

    def cancel(self) -> None:
        """End the run as cancelled, soon."""
        self._cancelled.set()

    def stop(self) -> None:
        """End the run as interrupted, soon: its pages stay staged for the next one."""
        super().stop()
        self._cancelled.set()

    def work(self) -> None:
        try:
            self._crawl()
            self._publish()
        except CrawlCancelled:
            raise RunFailed("Cancelado a pedido.", RunStatus.CANCELLED) from None
        except CrawlFailed as error:
            raise RunFailed(f"O site não pôde ser lido: {error.reason}") from error
        except CrawlRejected as error:
            self._rejected = True
            raise RunFailed(error.reason) from error

    def _crawl(self) -> None:
        settings = self._settings
        options = CrawlOptions(
            concurrency=settings.scraper_concurrency,
            max_attempts=settings.scraper_max_attempts,
            connect_timeout_s=settings.scraper_connect_timeout_s,
            read_timeout_s=settings.scraper_read_timeout_s,
        )
        events = crawl_in_child(
            self.run.base_url, options, already_read=self._staged.keys(), cancelled=self._cancelled
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
                # The listing's address, not where a redirect led: a page that fails is known by no other.
                book = replace(event.book, url=event.url)
                result.read[event.position] = self._unsaved[event.url] = book
            case ProductSkipped():
                result.read[event.position] = self._staged[event.url]
                result.pages_reused += 1
            case PageFailed():
                result.failed[event.url] = event.reason
            case CrawlFinished():
                result.announced = event.products_announced
                return
            case Idle():
                return
        result.pages_done += 1

    def _save(self) -> None:
        """Stage what arrived, show progress and renew the lease, in one transaction."""
        with self._database.writing() as session:
            self._renew_lease(session)
            scraping.stage_books(session, self.run.id, self._unsaved)
            scraping.save_progress(session, self.run.id, self.result)
            cancelled = scraping.is_cancelled(session, self.run.id)
        self._unsaved.clear()
        self._saved_at = time.monotonic()
        if cancelled:
            raise CrawlCancelled

    def _publish(self) -> None:
        with self._database.writing(PUBLISH_WITHIN_S) as session:
            self._renew_lease(session)
            if self._cancelled.is_set() or scraping.is_cancelled(session, self.run.id):
                raise CrawlCancelled
            counted_since = scraping.counting_started_at(session, self.run)
            publication, difference = publish_crawl(
                session, self.result, _limits(self._settings), self.run.base_url, counted_since
            )
            scraping.save_publication(session, self.run.id, publication.version, difference)
            self._record_end(session, RunStatus.DONE)

    def _record_end(self, session: Session, status: RunStatus, reason: str | None = None) -> None:
        super()._record_end(session, status, reason)
        scraping.save_progress(session, self.run.id, self.result)
        scraping.save_failures(session, self.run.id, self.result.failed)
        # A run that broke off leaves its pages to the next one, unlike one that was cancelled or rejected.
        if status in (RunStatus.DONE, RunStatus.CANCELLED) or self._rejected:
            scraping.drop_staged(session, self.run.id)


def _limits(settings: Settings) -> Limits:
    return Limits(
        max_failed_share=Limit(settings.scraper_max_failed_share, "SCRAPER_MAX_FAILED_SHARE"),
        max_vanished_share=Limit(settings.scraper_max_vanished_share, "SCRAPER_MAX_VANISHED_SHARE"),
        max_absurd_price_share=settings.scraper_max_absurd_price_share,
        max_price=settings.scraper_max_price,
        max_price_factor=settings.scraper_max_price_factor,
    )
