"""Scraping runs: started, watched, cancelled and remembered, one at a time in the whole shop."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from sqlalchemy.orm import Session

from app.core.errors import NoScrapeRunning, ScrapeAlreadyRunning, ScrapeRunNotFound
from app.core.runs import RunStatus
from app.observability.metrics import Metrics
from app.processes import is_known_dead, own_identity
from app.settings import Settings
from app.storage import scraping
from app.storage.catalogue_store import CatalogueStore
from app.storage.database import Database
from app.storage.exports import write_scraping_status
from app.storage.models import ScrapeRunRow
from scraper.book import ScrapedBook

if TYPE_CHECKING:
    from app.services.scrape_run import ScrapeRun

log = logging.getLogger(__name__)

RESUME_MAX_AGE = timedelta(hours=6)
"""How old a run that did not get to publish may be and still lend its pages to the next."""
STOP_TIMEOUT_S = 10.0
MAX_RUN_ID = 2**31 - 1
"""The largest that the column holds; a database refuses to be asked for more."""
DIED = "O processo morreu no meio do scraping. Um novo disparo continua de onde parou."


class Scrapes:
    """Owns the thread of this process' run. `_lock` protects `_run` and `_thread`, and lets one run start at a time."""

    def __init__(
        self,
        settings: Settings,
        database: Database,
        catalogue: CatalogueStore,
        metrics: Metrics,
        on_published: Callable[[], None],
    ) -> None:
        """`on_published` is called in the run's thread, after the catalogue has a new version."""
        self._settings = settings
        self._database = database
        self._catalogue = catalogue
        self._metrics = metrics
        self._on_published = on_published
        self._lock = threading.Lock()
        self._run: ScrapeRun | None = None
        self._thread: threading.Thread | None = None

    def start(self, username: str) -> ScrapeRunRow:
        """Begin a run in the background. Raises ScrapeAlreadyRunning, also for another process' run."""
        # Here, as what reads pages takes a tenth of a second to import: a start has no need of it.
        from app.services.scrape_run import ScrapeRun

        with self._lock:
            with self._database.writing() as session:
                self._reap_stale_runs(session)  # locks the lease
                lease = scraping.current_lease(session)
                if lease is not None and lease.run_id is not None:
                    raise ScrapeAlreadyRunning(lease.run_id)
                row, staged = self._open_run(session, username)
            if self._thread is not None:
                self._thread.join(STOP_TIMEOUT_S)  # ended in the database, it may still be writing its files
            self._write_status(RunStatus.PROCESSING.shown)
            self._run = ScrapeRun(
                row,
                self._settings,
                self._database,
                self._catalogue,
                self._metrics,
                staged,
                self._on_published,
            )
            self._thread = threading.Thread(target=self._run.execute, name=f"scrape-{row.id}", daemon=True)
            self._thread.start()
        log.info("scrape_started", extra={"run_id": row.id, "username": username, "reused": row.pages_reused})
        return row

    def cancel(self, username: str) -> ScrapeRunRow:
        """Ask the run in progress to end, whichever process it is in. Raises NoScrapeRunning."""
        with self._database.writing() as session:
            lease = scraping.current_lease(session)
            row = session.get(ScrapeRunRow, lease.run_id) if lease else None
            if row is None or row.status != RunStatus.PROCESSING:
                raise NoScrapeRunning
            row.cancelled_by = username
        with self._lock:
            if self._run is not None and self._run.id == row.id:
                self._run.cancel()
        return row

    def latest(self) -> ScrapeRunRow | None:
        """The newest run, in progress or ended."""
        with self._database.reading() as session:
            row = scraping.latest_run(session)
            orphaned = row is not None and row.status == RunStatus.PROCESSING and not _alive(session, row)
        if orphaned:
            self.reap_stale_runs()
            with self._database.reading() as session:
                row = scraping.latest_run(session)
            self._write_status(shown_status(row))
        self._catch_up(row)
        return row

    def history(self, offset: int, limit: int) -> tuple[list[ScrapeRunRow], int]:
        """Runs from the newest on, and how many are remembered."""
        with self._database.reading() as session:
            rows, total = scraping.list_runs(session, offset, limit)
        self._catch_up(next((row for row in rows if row.published_version is not None), None))
        return rows, total

    def run(self, run_id: int) -> ScrapeRunRow:
        """One run with the difference it made. Raises ScrapeRunNotFound."""
        if run_id > MAX_RUN_ID:
            raise ScrapeRunNotFound
        with self._database.reading() as session:
            row = session.get(ScrapeRunRow, run_id)
        if row is None:
            raise ScrapeRunNotFound
        self._catch_up(row)
        return row

    def reap_stale_runs(self) -> None:
        """Mark runs whose process has ended as interrupted."""
        with self._database.writing() as session:
            self._reap_stale_runs(session)

    def write_status(self) -> None:
        """Write the status file again, in case a crash kept it from following the database."""
        row = self.latest()
        self._write_status(shown_status(row))

    def wait(self, timeout_s: float) -> None:
        """Return when this process' run has ended, or after `timeout_s`."""
        if self._thread is not None:
            self._thread.join(timeout_s)

    def stop(self) -> None:
        """End this process' run as interrupted and join its thread."""
        with self._lock:
            if self._run is not None:
                self._run.stop()
            if self._thread is not None:
                self._thread.join(STOP_TIMEOUT_S)

    def _write_status(self, word: str) -> None:
        try:
            write_scraping_status(self._settings.data_dir, word)
        except OSError:
            # A copy of what the database says: a full disk must not keep a run from starting or being seen.
            log.exception("scraping_status_not_written")

    def _catch_up(self, row: ScrapeRunRow | None) -> None:
        """Who sees that a run published will see what it published."""
        if row is not None and row.published_version is not None:
            self._catalogue.ensure_version(row.published_version)

    def _reap_stale_runs(self, session: Session) -> None:
        scraping.lock_lease(session)
        for row in scraping.runs_in_progress(session):
            if not _alive(session, row):
                log.warning("scrape_interrupted", extra={"run_id": row.id})
                scraping.close_run(
                    session, row, RunStatus.INTERRUPTED, DIED, datetime.now(UTC), keep_staged=True
                )
                self._metrics.count_run(
                    RunStatus.INTERRUPTED,
                    done=row.pages_done,
                    failed=row.pages_failed,
                    reused=row.pages_reused,
                )

    def _open_run(self, session: Session, username: str) -> tuple[ScrapeRunRow, dict[str, ScrapedBook]]:
        now = datetime.now(UTC)
        previous = scraping.latest_run(session)
        row = ScrapeRunRow(
            status=RunStatus.PROCESSING,
            base_url=self._settings.scraper_base_url,
            started_by=username,
            started_at=now,
            pages_total=0,
            pages_done=0,
            pages_failed=0,
            pages_reused=0,
            books_read=0,
        )
        session.add(row)
        session.flush()
        if not scraping.take_lease(session, row.id, own_identity(), now):
            raise RuntimeError("the lease was taken while it was locked")
        staged: dict[str, ScrapedBook] = {}
        if (
            previous is not None
            and previous.base_url == row.base_url
            and now - previous.started_at < RESUME_MAX_AGE
        ):
            staged = scraping.hand_over_staged(session, previous.id, row.id)
            row.resumed_from, row.pages_reused = (previous.id if staged else None), len(staged)
        scraping.trim_history(session, row.id)
        return row, staged


def shown_status(row: ScrapeRunRow | None) -> str:
    """How the newest run stands, in the seeds' words."""
    return "never" if row is None else RunStatus(row.status).shown


def _alive(session: Session, row: ScrapeRunRow) -> bool:
    """Whether a run in progress has a holder that renews its lease."""
    lease = scraping.current_lease(session)
    if lease is None or lease.run_id != row.id or lease.holder is None or lease.expires_at is None:
        return False
    return lease.expires_at > datetime.now(UTC) and not is_known_dead(lease.holder)
