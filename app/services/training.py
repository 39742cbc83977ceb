"""Trainings: begun, watched and remembered; and the choice of the active model."""

import logging
import time
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from app.core.accounts import BY_PUBLICATION
from app.core.errors import ModelNotFound, ModelUnusable, TrainingAlreadyRunning
from app.core.runs import RunStatus
from app.core.training import Training
from app.observability.metrics import Metrics
from app.processes import own_identity
from app.services.background import RunEvents, RunKind, RunManager
from app.services.model_store import ModelStore
from app.services.training_run import BackgroundTraining
from app.settings import Settings
from app.storage import training
from app.storage.catalogue_store import CatalogueStore
from app.storage.database import Database
from app.storage.model_files import forget_models
from ml.artefact import ArtefactRefused

log = logging.getLogger(__name__)

RETRY_DELAY: Final = timedelta(minutes=10)
"""The pause before a training that failed, or that replaced a refused model, begins again by itself."""
STOPPED: Final = "O servidor foi encerrado no meio do treino. O modelo em uso continua o mesmo."
ORPHANED: Final = "O processo morreu no meio do treino. O modelo em uso continua o mesmo."
EVENTS: Final = RunEvents(
    "training_ended",
    "training_interrupted",
    "training_crashed",
    "training_lease_lost",
    "training_end_not_recorded",
)
KIND: Final = RunKind("training", "version", EVENTS, training.RUNS, TrainingAlreadyRunning, STOPPED, ORPHANED)


class Trainings(RunManager[Training, BackgroundTraining]):
    """The shop's trainings and the models that they made."""

    def __init__(
        self,
        settings: Settings,
        database: Database,
        catalogue: CatalogueStore,
        models: ModelStore,
        metrics: Metrics,
    ) -> None:
        super().__init__(KIND, settings, database)
        self._catalogue = catalogue
        self._models = models
        self._metrics = metrics
        self._replaced_refused_at = float("-inf")

    def start(self, username: str) -> Training:
        """Begin a training on the present catalogue. Raises TrainingAlreadyRunning."""
        self._catalogue.refresh()
        run = super().start(username)
        log.info("training_started", extra={"version": run.id, "username": username})
        return run

    def start_if_needed(self) -> None:
        """Begin a training where the catalogue has none yet, or its model can't be used."""
        if not self._settings.ml_auto_train or self._stopped:
            return
        catalogue = self._catalogue.current()
        refused = self._models.current().problem is not None or catalogue.texts.problem is not None
        version = catalogue.publication.version
        with self._database.reading() as session:
            newest = training.RUNS.latest(session, RunStatus.DONE)
            failures = training.failures_since(session, version, self._database.now(session) - RETRY_DELAY)
        is_current = (
            newest is not None
            and newest.catalogue_version == version
            and newest.texts_digest is not None  # an older release read no texts
        )
        if is_current and not refused:
            return
        if _must_wait(failures) or (refused and not self._may_replace_refused()):
            return
        try:
            self.start(BY_PUBLICATION)
        except TrainingAlreadyRunning:
            log.debug("training_already_running")

    def active(self) -> Training | None:
        """Return the training whose model every process is to serve."""
        with self._database.reading() as session:
            return training.active_model(session)

    def models(self, offset: int, limit: int) -> tuple[list[Training], int]:
        """Return the successful trainings from the newest on, and how many models are kept."""
        with self._database.reading() as session:
            return training.RUNS.page(session, offset, limit, RunStatus.DONE)

    def activate(self, version: int, username: str) -> Training:
        """Serve `version` again, until the next training. Raises ModelNotFound or ModelUnusable."""
        with self._database.reading() as session:
            model = _find_model(session, version)
        try:
            self._models.load(model)
        except ArtefactRefused as refused:
            raise ModelUnusable(refused.reason) from None
        with self._database.writing() as session:
            training.RUNS.lock(session)
            model = _find_model(session, version)
            training.activate(session, version, username, self._database.now(session))
        self._models.refresh()
        self._catalogue.refresh()
        log.info("model_chosen", extra={"version": version, "username": username})
        return model

    def forget_files(self) -> None:
        """Remove the files of models that the database has forgotten, also those trained elsewhere."""
        with self._database.reading() as session:
            known = training.known_versions(session)
        forget_models(self._settings.data_dir, known)

    def _begin(self, session: Session, username: str, now: datetime) -> BackgroundTraining:
        catalogue = self._catalogue.current()
        version = catalogue.publication.version
        run = training.RUNS.begin(session, username, own_identity(), now, catalogue_version=version)
        return BackgroundTraining(KIND, run, self._settings, self._database, catalogue.training_rows)

    def _follow_up(self, background: BackgroundTraining, status: RunStatus) -> None:
        self._metrics.count_training(status)
        try:
            self._models.refresh()
            self._catalogue.refresh()
            with self._database.writing() as session:
                training.trim_trainings(session, self._settings.models_kept)
            self.forget_files()
        except (OSError, SQLAlchemyError):
            log.exception("old_models_not_removed")

    def _count_interrupted(self, run: Training) -> None:
        self._metrics.count_training(RunStatus.INTERRUPTED)

    def _ensure_visible(self, run: Training) -> None:
        if run.status is RunStatus.DONE:
            self._models.ensure_version(run.id)

    def _may_replace_refused(self) -> bool:
        """Return whether to replace a refused model now: once, and again only after RETRY_DELAY."""
        now = time.monotonic()
        if now - self._replaced_refused_at < RETRY_DELAY.total_seconds():
            return False
        self._replaced_refused_at = now
        return True


def _find_model(session: Session, version: int) -> Training:
    run = training.RUNS.get(session, version)
    if run is None or run.status is not RunStatus.DONE:
        raise ModelNotFound
    return run


def _must_wait(failures: Sequence[Training]) -> bool:
    """Return whether to put off the next try: a stopped server is no failure, and one death may be chance."""
    deaths = [run for run in failures if run.status is RunStatus.INTERRUPTED and run.reason != STOPPED]
    return len(deaths) > 1 or any(run.status is RunStatus.ERROR for run in failures)
