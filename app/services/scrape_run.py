"""One scraping run, from its first page to its end."""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from app.core.runs import LeaseLost, RunStatus
from app.core.safety_gate import Limits
from app.core.scraping import CrawlResult
from app.observability.metrics import Metrics
from app.processes import own_identity
from app.services.catalogue import CrawlRejected, publish_crawl
from app.settings import Settings
from app.storage import scraping
from app.storage.catalogue_store import CatalogueStore
from app.storage.database import Database
from app.storage.exports import export_catalogue, write_scraping_status
from app.storage.models import ScrapeRunRow
from scraper.book import ScrapedBook
from scraper.crawl import (
    CrawlEvent,
    CrawlFinished,
    ListingRead,
    PageFailed,
    ProductRead,
    ProductSkipped,
    crawl,
)
from scraper.errors import CrawlCancelled, CrawlFailed
from scraper.options import CrawlOptions

log = logging.getLogger(__name__)

SAVE_EVERY_S = 0.5
STOPPED = "O servidor foi encerrado. Um novo disparo continua de onde parou."


class ScrapeRun:
    """Crawls, stages what arrives, and publishes it if the safety gate lets it pass.

    Everything but the two events belongs to the thread that calls `execute`.
    """

    def __init__(
        self,
        row: ScrapeRunRow,
        settings: Settings,
        database: Database,
        catalogue: CatalogueStore,
        metrics: Metrics,
        staged: Mapping[str, ScrapedBook],
        on_published: Callable[[], None],
    ) -> None:
        self.id = row.id
        self._base_url = row.base_url
        self._settings = settings
        self._database = database
        self._catalogue = catalogue
        self._metrics = metrics
        self._staged = staged
        self._on_published = on_published
        self._cancelled = threading.Event()
        self._stopping = threading.Event()
        self._result = CrawlResult(announced=0)
        self._unsaved: dict[str, ScrapedBook] = {}
        self._pages_total = self._pages_done = self._pages_reused = 0
        self._saved_at = time.monotonic()
        self._refused = False

    def cancel(self) -> None:
        """End the run as cancelled, soon."""
        self._cancelled.set()

    def stop(self) -> None:
        """End the run as interrupted, soon: its pages stay staged for the next one."""
        self._stopping.set()
        self._cancelled.set()

    def execute(self) -> None:
        """The thread's body; whatever happens, the run's row says how it ended."""
        try:
            status, reason = self._attempt()
            if status is not RunStatus.DONE:
                self._end(status, reason)
        except LeaseLost:
            log.warning("scrape_lease_lost", extra={"run_id": self.id})
            return
        except SQLAlchemyError:
            # The lease expires unrenewed, and whoever looks next marks the run as interrupted.
            log.exception("scrape_end_not_recorded", extra={"run_id": self.id})
            return
        self._metrics.count_run(
            status, done=self._pages_done, failed=len(self._result.failed), reused=self._pages_reused
        )
        log.info("scrape_ended", extra={"run_id": self.id, "outcome": status.value, "reason": reason})
        self._follow_up(status)

    def _attempt(self) -> tuple[RunStatus, str | None]:
        try:
            self._crawl()
            self._publish()
        except LeaseLost:
            raise
        except CrawlCancelled:
            if self._stopping.is_set():
                return RunStatus.INTERRUPTED, STOPPED
            return RunStatus.CANCELLED, "Cancelado a pedido."
        except CrawlFailed as error:
            return RunStatus.ERROR, f"O site não pôde ser lido: {error.reason}"
        except CrawlRejected as error:
            self._refused = True
            return RunStatus.ERROR, error.reason
        except Exception as error:
            if self._stopping.is_set() or _refused_by_ending_interpreter(error):
                return RunStatus.INTERRUPTED, STOPPED
            log.exception("scrape_crashed", extra={"run_id": self.id})
            return RunStatus.ERROR, "Falha interna; o motivo está no log do servidor."
        return RunStatus.DONE, None

    def _crawl(self) -> None:
        settings = self._settings
        options = CrawlOptions(
            concurrency=settings.scraper_concurrency,
            max_attempts=settings.scraper_max_attempts,
            connect_timeout_s=settings.scraper_connect_timeout_s,
            read_timeout_s=settings.scraper_read_timeout_s,
        )
        events = crawl(self._base_url, options, already_read=self._staged.keys(), cancelled=self._cancelled)
        with contextlib.closing(events):
            for event in events:
                self._see(event)
                if time.monotonic() - self._saved_at > SAVE_EVERY_S:
                    self._save()
        self._save()

    def _see(self, event: CrawlEvent) -> None:
        result = self._result
        match event:
            case ListingRead():
                self._pages_total = event.pages_total
                self._pages_done += 1
            case ProductRead():
                # The listing's address, not where a redirect led: a page that fails is known by no other.
                book = replace(event.book, url=event.url)
                result.read[event.position] = self._unsaved[event.url] = book
                self._pages_done += 1
            case ProductSkipped():
                result.read[event.position] = self._staged[event.url]
                self._pages_done += 1
                self._pages_reused += 1
            case PageFailed():
                result.failed[event.url] = event.reason
                self._pages_done += 1
            case CrawlFinished():
                result.announced = event.products_announced

    def _save(self) -> None:
        """Stage what arrived, show progress and renew the lease, in one transaction."""
        with self._database.writing() as session:
            row = self._own_row(session)
            scraping.stage_books(session, self.id, self._unsaved)
            self._show_progress(row)
            cancelled = row.cancelled_by is not None
        self._unsaved.clear()
        self._saved_at = time.monotonic()
        if cancelled:
            raise CrawlCancelled

    def _publish(self) -> None:
        settings = self._settings
        limits = Limits(
            max_failed_share=settings.scraper_max_failed_share,
            max_vanished_share=settings.scraper_max_vanished_share,
            max_absurd_price_share=settings.scraper_max_absurd_price_share,
            max_price=settings.scraper_max_price,
            max_price_factor=settings.scraper_max_price_factor,
        )
        with self._database.writing() as session:
            row = self._own_row(session)
            if row.cancelled_by is not None or self._cancelled.is_set():
                raise CrawlCancelled
            counted_since = scraping.counting_began(session, row)
            publication, difference = publish_crawl(
                session, self._result, limits, self._base_url, counted_since
            )
            row.published_version = publication.version
            row.difference = scraping.difference_as_json(difference)
            row.change_counts = {kind: len(books) for kind, books in row.difference.items()}
            self._close(session, row, RunStatus.DONE, None)

    def _end(self, status: RunStatus, reason: str | None) -> None:
        with self._database.writing() as session:
            self._close(session, self._own_row(session), status, reason)

    def _own_row(self, session: Session) -> ScrapeRunRow:
        """This run's row, with the lease renewed. Raises LeaseLost."""
        row = session.get(ScrapeRunRow, self.id)
        if row is None or not scraping.renew_lease(session, self.id, own_identity(), datetime.now(UTC)):
            raise LeaseLost
        return row

    def _close(self, session: Session, row: ScrapeRunRow, status: RunStatus, reason: str | None) -> None:
        self._show_progress(row)
        row.failures = [
            {"url": url, "motivo": why}
            for url, why in list(self._result.failed.items())[: scraping.MAX_FAILED_PAGES]
        ]
        scraping.close_run(
            session, row, status, reason, datetime.now(UTC), keep_staged=self._worth_resuming(status)
        )

    def _worth_resuming(self, status: RunStatus) -> bool:
        """A run that broke off leaves its pages to the next; one that was cancelled or judged does not."""
        return status is RunStatus.INTERRUPTED or (status is RunStatus.ERROR and not self._refused)

    def _show_progress(self, row: ScrapeRunRow) -> None:
        row.pages_total, row.pages_done = self._pages_total, self._pages_done
        row.pages_failed, row.books_read = len(self._result.failed), len(self._result.read)

    def _follow_up(self, status: RunStatus) -> None:
        """Swap the catalogue and write the files, after what the database says."""
        try:
            if status is RunStatus.DONE:
                export_catalogue(self._settings.data_dir, self._catalogue.refresh())
            write_scraping_status(self._settings.data_dir, status.shown)
            if status is RunStatus.DONE:
                self._on_published()
        except (OSError, SQLAlchemyError):
            # The database is the truth; the next start writes both files again.
            log.exception("scrape_files_not_written", extra={"run_id": self.id})


def _refused_by_ending_interpreter(error: Exception) -> bool:
    """Whether thread pools take no more work, which may come before anybody could call `stop`.

    Only the text tells: concurrent.futures and threading raise a bare RuntimeError "... interpreter shutdown".
    """
    return isinstance(error, RuntimeError) and "interpreter shutdown" in str(error)
