"""Scraping runs: started, watched, cancelled and remembered."""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from app.core.errors import NoScrapeRunning, ScrapeAlreadyRunning, ScrapeRunNotFound
from app.core.runs import RunStatus, status_word
from app.core.scraping import ScrapeRun, ScrapeRunDetail
from app.observability.metrics import Metrics
from app.processes import own_identity
from app.services.background import Claim, RunEvents, RunKind, RunManager
from app.services.scrape_run import BackgroundScrape
from app.settings import Settings
from app.storage import scraping
from app.storage.catalogue_store import CatalogueStore
from app.storage.database import Database
from app.storage.exports import export_catalogue, write_scraping_status
from scraper.address import without_credentials

log = logging.getLogger(__name__)

RESUME_MAX_AGE: Final = timedelta(hours=6)
"""The age up to which a page that no run has published is lent to the next one."""
STOPPED: Final = "O servidor foi encerrado. Um novo disparo continua de onde parou."
ORPHANED: Final = "O processo morreu no meio do scraping. Um novo disparo continua de onde parou."
EVENTS: Final = RunEvents(
    "scrape_ended", "scrape_interrupted", "scrape_crashed", "scrape_lease_lost", "scrape_end_not_recorded"
)
KIND: Final = RunKind("scrape", "run_id", EVENTS, scraping.RUNS, ScrapeAlreadyRunning, STOPPED, ORPHANED)


class Scrapes(RunManager[ScrapeRun, BackgroundScrape]):
    """The shop's scraping runs."""

    def __init__(
        self,
        settings: Settings,
        database: Database,
        catalogue: CatalogueStore,
        metrics: Metrics,
        on_published: Callable[[], None],
    ) -> None:
        """`on_published` is called in the run's thread, after the catalogue has a new version."""
        super().__init__(KIND, settings, database)
        self._catalogue = catalogue
        self._metrics = metrics
        self._on_published = on_published

    def start(self, username: str, claim: Claim | None = None) -> ScrapeRun:
        """Begin a run in the background. Raises ScrapeAlreadyRunning, or what `claim` does."""
        run = self._start(username, claim)
        log.info("scrape_started", extra={"run_id": run.id, "username": username, "reused": run.pages_reused})
        return run

    def cancel(self, username: str) -> ScrapeRun:
        """Ask the run in progress to end, in whatever process it is. Raises NoScrapeRunning."""
        with self._database.writing() as session:
            run = scraping.cancel_run(session, username)
        if run is None:
            raise NoScrapeRunning
        with self._lock:
            if (background := self._running()) is not None and background.run.id == run.id:
                background.cancel()
        return run

    def history(self, offset: int, limit: int) -> tuple[list[ScrapeRun], int]:
        """Return runs from the newest on, and how many are remembered."""
        with self._database.reading() as session:
            runs, total = scraping.RUNS.page(session, offset, limit)
        for run in runs:
            self._ensure_visible(run)
        return runs, total

    def detail(self, run_id: int) -> ScrapeRunDetail:
        """Return one run with the difference it made. Raises ScrapeRunNotFound."""
        with self._database.reading() as session:
            detail = scraping.load_detail(session, run_id)
        if detail is None:
            raise ScrapeRunNotFound
        self._ensure_visible(detail.run)
        return detail

    def reap_stale_runs(self) -> None:
        """Mark orphaned runs as interrupted, and have the status file follow the database, also after a crash."""
        super().reap_stale_runs()
        with self._database.reading() as session:
            self._write_status(scraping.RUNS.latest(session))

    def _begin(self, session: Session, username: str, now: datetime) -> BackgroundScrape:
        resumable_since = now - RESUME_MAX_AGE
        # The row, and all that follows from it, is for everybody to read; the crawl alone gets the password.
        base_url = without_credentials(self._settings.scraper_base_url)
        run, staged = scraping.begin_run(
            session,
            base_url,
            username,
            own_identity(),
            now,
            resumable_since,
            self._settings.scrape_runs_kept,
        )
        return BackgroundScrape(KIND, run, self._settings, self._database, staged)

    def _announce(self, run: ScrapeRun) -> None:
        self._write_status(run)

    def _follow_up(self, background: BackgroundScrape, status: RunStatus) -> None:
        result, data_dir = background.result, self._settings.data_dir
        self._metrics.count_run(
            status, done=result.pages_done, failed=len(result.failed), reused=result.pages_reused
        )
        try:
            if status is RunStatus.DONE:
                export_catalogue(data_dir, self._catalogue.refresh())
            write_scraping_status(data_dir, status.word)
            if status is RunStatus.DONE:
                self._on_published()
        except (OSError, SQLAlchemyError):
            # The database is the truth; the next start writes both files again.
            log.exception("scrape_files_not_written", extra={"run_id": background.run.id})

    def _count_interrupted(self, run: ScrapeRun) -> None:
        self._metrics.count_run(
            RunStatus.INTERRUPTED, done=run.pages_done, failed=run.pages_failed, reused=run.pages_reused
        )

    def _ensure_visible(self, run: ScrapeRun) -> None:
        if run.published_version is not None:
            self._catalogue.ensure_version(run.published_version)

    def _write_status(self, run: ScrapeRun | None) -> None:
        try:
            write_scraping_status(self._settings.data_dir, status_word(run))
        except OSError:
            # A copy of what the database says: a full disk must not keep a run from working or being seen.
            log.exception("scraping_status_not_written")
