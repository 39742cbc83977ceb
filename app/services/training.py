"""Trainings: begun, watched and remembered, one at a time in the whole shop; and which model is served."""

from __future__ import annotations

import functools
import logging
import threading
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

from sqlalchemy.orm import Session

from app.core.accounts import BY_PUBLICATION
from app.core.catalogue import Catalogue
from app.core.errors import ModelNotFound, ModelUnusable, TrainingAlreadyRunning
from app.core.runs import RunStatus
from app.observability.metrics import Metrics
from app.processes import is_known_dead, own_identity
from app.services.model_store import ModelStore
from app.services.training_run import STOPPED, TrainingRun
from app.settings import Settings
from app.storage import training
from app.storage.catalogue_store import CatalogueStore
from app.storage.database import Database
from app.storage.model_files import forget_models
from app.storage.models import TrainingRow
from ml.artefact import ArtefactRefused
from ml.features import Row

log = logging.getLogger(__name__)

RETRY_DELAY: Final = timedelta(minutes=10)
"""How long a training that failed, or that replaced a refused model, is not begun again of itself."""
STOP_TIMEOUT_S: Final = 10.0
MAX_VERSION: Final = 2**31 - 1
DIED: Final = "O processo morreu no meio do treino. O modelo em uso continua o mesmo."


class Trainings:
    """Owns the thread of this process' training. `_lock` protects `_run`, `_thread` and `_stopped`."""

    def __init__(
        self,
        settings: Settings,
        database: Database,
        catalogue: CatalogueStore,
        models: ModelStore,
        metrics: Metrics,
        books_of: Callable[[Catalogue], Sequence[Row]],
    ) -> None:
        """`books_of` shows a catalogue as `GET /api/v1/ml/training-data` does."""
        self._settings = settings
        self._database = database
        self._catalogue = catalogue
        self._models = models
        self._metrics = metrics
        self._books_of = books_of
        self._lock = threading.Lock()
        self._run: TrainingRun | None = None
        self._thread: threading.Thread | None = None
        self._stopped = False
        self._replaced_refused_at = float("-inf")

    def start(self, username: str) -> TrainingRow:
        """Begin a training in the background. Raises TrainingAlreadyRunning, also for another process'."""
        with self._lock:
            catalogue = self._catalogue.refresh()
            with self._database.writing() as session:
                training.lock_trainings(session)
                self._reap_stale_runs(session)
                for running in training.trainings_in_progress(session):
                    raise TrainingAlreadyRunning(running.id)
                now = datetime.now(UTC)
                row = TrainingRow(
                    status=RunStatus.PROCESSING,
                    started_by=username,
                    started_at=now,
                    catalogue_version=catalogue.publication.version,
                    holder=own_identity(),
                    expires_at=now + training.LEASE_TTL,
                )
                session.add(row)
            if self._thread is not None:
                self._thread.join(STOP_TIMEOUT_S)  # ended in the database, it may still be removing old files
            books = functools.partial(self._books_of, catalogue)
            self._run = TrainingRun(row, books, self._settings, self._database, self._models, self._metrics)
            self._thread = threading.Thread(target=self._run.execute, name=f"training-{row.id}", daemon=True)
            if self._stopped:
                self._run.stop()
            self._thread.start()
        log.info("training_started", extra={"version": row.id, "username": username})
        return row

    def start_if_needed(self) -> None:
        """Begin a training where the catalogue has none yet, or its model can't be used."""
        if not self._settings.ml_auto_train or self._stopped:
            return
        refused = self._models.current().problem is not None
        with self._database.reading() as session:
            newest = training.latest_training(session, RunStatus.DONE)
            version = self._catalogue.current().publication.version
            failures = training.failures_since(session, version, datetime.now(UTC) - RETRY_DELAY)
        if newest is not None and newest.catalogue_version == version and not refused:
            return
        if _too_many(failures):
            return
        if refused and not self._may_replace_refused():
            return
        try:
            self.start(BY_PUBLICATION)
        except TrainingAlreadyRunning:
            log.debug("training_already_running")

    def latest(self) -> TrainingRow | None:
        """The newest training, in progress or ended."""
        with self._database.reading() as session:
            row = training.latest_training(session)
        if row is not None and row.status == RunStatus.PROCESSING and not _alive(row):
            self.reap_stale_runs()
            with self._database.reading() as session:
                row = training.latest_training(session)
        if row is not None and row.status == RunStatus.DONE:
            self._models.ensure_version(row.id)  # who sees that a training is done is answered by its model
        return row

    def active(self) -> TrainingRow | None:
        """The training whose model every process is to serve."""
        with self._database.reading() as session:
            return training.active_model(session)

    def models(self, offset: int, limit: int) -> tuple[list[TrainingRow], int]:
        """The models from the newest on, and how many are kept."""
        with self._database.reading() as session:
            return training.list_models(session, offset, limit)

    def model(self, version: int) -> TrainingRow:
        """One model. Raises ModelNotFound."""
        with self._database.reading() as session:
            return _model(session, version)

    def activate(self, version: int, username: str) -> TrainingRow:
        """Serve `version` again, until the next training. Raises ModelNotFound or ModelUnusable."""
        try:
            self._models.load(self.model(version))
        except ArtefactRefused as refused:
            raise ModelUnusable(refused.reason) from None
        with self._database.writing() as session:
            training.lock_trainings(session)
            row = _model(session, version)
            training.activate(session, version, username, datetime.now(UTC))
        self._models.refresh()
        log.info("model_chosen", extra={"version": version, "username": username})
        return row

    def forget_files(self) -> None:
        """Remove the files of models that the database has forgotten, wherever they were trained."""
        with self._database.reading() as session:
            known = training.known_versions(session)
        forget_models(self._settings.data_dir, known)

    def reap_stale_runs(self) -> None:
        """Mark trainings whose process has ended as interrupted."""
        with self._database.writing() as session:
            training.lock_trainings(session)
            self._reap_stale_runs(session)

    def wait(self, timeout_s: float) -> None:
        """Return when this process' training has ended, or after `timeout_s`."""
        if self._thread is not None:
            self._thread.join(timeout_s)

    def stop(self) -> None:
        """End this process' training as interrupted and join its thread."""
        with self._lock:
            self._stopped = True
            if self._run is not None:
                self._run.stop()
            if self._thread is not None:
                self._thread.join(STOP_TIMEOUT_S)

    def _reap_stale_runs(self, session: Session) -> None:
        for row in training.trainings_in_progress(session):
            if not _alive(row):
                log.warning("training_interrupted", extra={"version": row.id})
                row.status, row.reason, row.ended_at = RunStatus.INTERRUPTED, DIED, datetime.now(UTC)
                self._metrics.count_training(RunStatus.INTERRUPTED)

    def _may_replace_refused(self) -> bool:
        """A refused model is replaced at once, but not again and again."""
        now = time.monotonic()
        if now - self._replaced_refused_at < RETRY_DELAY.total_seconds():
            return False
        self._replaced_refused_at = now
        return True


def _model(session: Session, version: int) -> TrainingRow:
    row = session.get(TrainingRow, version) if version <= MAX_VERSION else None
    if row is None or row.status != RunStatus.DONE:
        raise ModelNotFound
    return row


def _alive(row: TrainingRow) -> bool:
    """Whether a training in progress has a holder that renews its lease."""
    return row.expires_at > datetime.now(UTC) and not is_known_dead(row.holder)


def _too_many(failures: Sequence[TrainingRow]) -> bool:
    """Whether to wait before the next try: a server that was stopped is no failure, and one death may be chance."""
    deaths = [row for row in failures if row.status == RunStatus.INTERRUPTED and row.reason != STOPPED]
    return len(deaths) > 1 or any(row.status == RunStatus.ERROR for row in failures)
