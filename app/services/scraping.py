"""Scraping runs, and imports: started, watched, cancelled and remembered."""

import logging
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from app.core.catalogue_import import ImportReport
from app.core.errors import (
    ImportRefused,
    NoScrapeRunning,
    ScrapeAlreadyRunning,
    ScrapeRunNotFound,
    Unavailable,
)
from app.core.runs import RunStatus, status_word
from app.core.scraping import IMPORT_SOURCE, ScrapeRun, ScrapeRunDetail
from app.observability.metrics import Metrics
from app.processes import own_identity
from app.services.background import Claim, RunEvents, RunKind, RunManager
from app.services.import_run import BackgroundImport, faults_in_words, rehearse
from app.services.scrape_run import BackgroundScrape, PublishingRun
from app.settings import Settings
from app.storage import scraping
from app.storage.catalogue_store import CatalogueStore
from app.storage.database import Database
from app.storage.exports import export_catalogue, write_scraping_status
from scraper.address import without_credentials
from scraper.book import ScrapedBook
from scraper.csv_table import BookTable

log = logging.getLogger(__name__)

RESUME_MAX_AGE: Final = timedelta(hours=6)
"""The age up to which a page that no run has published is lent to the next one."""
IMPORT_WITHIN_S: Final = 120.0
"""Seconds that the end of an import is waited for: twice what its publication may take."""
_MAX_NAME: Final = 80
"""Characters of a file's name that are shown."""
_KEPT: Final = "e o catálogo ficou como estava. Se era um scraping, o próximo continua de onde parou."
STOPPED: Final = f"O servidor foi encerrado, {_KEPT}"
ORPHANED: Final = f"O processo morreu no meio, {_KEPT}"
EVENTS: Final = RunEvents(
    "scrape_ended", "scrape_interrupted", "scrape_crashed", "scrape_lease_lost", "scrape_end_not_recorded"
)
KIND: Final = RunKind("scrape", "run_id", EVENTS, scraping.RUNS, ScrapeAlreadyRunning, STOPPED, ORPHANED)


class Scrapes(RunManager[ScrapeRun, PublishingRun]):
    """The shop's scraping runs, imports among them."""

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

    def import_books(self, table: BookTable, username: str, name: str, *, partial: bool) -> ImportReport:
        """Publish the books of the file called `name` in the place of the catalogue, as a run of its own.

        With `partial`, the rows without faults. Raises ScrapeAlreadyRunning, ImportRefused, ImportCancelled, or
        Unavailable where its end is still to come.
        """
        if not partial and (reason := faults_in_words(table)):
            raise ImportRefused(reason, table)
        shown = "".join(filter(str.isprintable, name))[:_MAX_NAME]
        source = f"{IMPORT_SOURCE}: {shown}" if shown else IMPORT_SOURCE

        def begin(session: Session, now: datetime) -> BackgroundImport:
            run, _ = self._add_run(session, source, username, now)
            return BackgroundImport(KIND, run, self._settings, self._database, table)

        background, thread = self._launch(begin)
        run_id = background.run.id
        log.info("import_started", extra={"run_id": run_id, "username": username})
        thread.join(IMPORT_WITHIN_S)
        if background.failure is not None:
            raise background.failure
        if background.report is None:
            raise Unavailable(f"A importação continua: a execução {run_id} dirá como terminou.")
        return background.report

    def rehearse_import(self, table: BookTable, *, partial: bool) -> ImportReport:
        """Return what importing the rows without faults would change, and why it may not; nothing changes."""
        with self._database.reading() as session:
            report = rehearse(session, table, self._settings, self._database.now(session))
        reason = None if partial else faults_in_words(table)
        return replace(report, blocker=reason or report.blocker)

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
        # The row, and all that follows from it, is for everybody to read; the crawl alone gets the password.
        base_url = without_credentials(self._settings.scraper_base_url)
        run, staged = self._add_run(session, base_url, username, now)
        return BackgroundScrape(KIND, run, self._settings, self._database, staged)

    def _add_run(
        self, session: Session, base_url: str, username: str, now: datetime
    ) -> tuple[ScrapeRun, dict[str, ScrapedBook]]:
        kept = self._settings.scrape_runs_kept
        return scraping.begin_run(
            session, base_url, username, own_identity(), now, now - RESUME_MAX_AGE, kept
        )

    def _announce(self, run: ScrapeRun) -> None:
        self._write_status(run)

    def _follow_up(self, background: PublishingRun, status: RunStatus) -> None:
        result, data_dir = background.result, self._settings.data_dir
        if not background.run.is_import:  # which its client has the response of: no alert tells of it
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
        if run.is_import:
            return
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
