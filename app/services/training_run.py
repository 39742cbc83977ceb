"""One training, from the catalogue to the model that is served."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from app.core.runs import LeaseLost, RunStatus
from app.observability.metrics import Metrics
from app.processes import own_identity
from app.services.model_store import ModelStore, assemble
from app.settings import Settings
from app.storage import training
from app.storage.database import Database
from app.storage.model_files import SCRATCH_PREFIX, clear_scratch, forget_models, models_folder, write_model
from app.storage.models import TrainingRow
from ml.artefact import CARD_NAME, MODEL_NAME, ArtefactRefused, digest_of
from ml.features import Row

log = logging.getLogger(__name__)

RENEW_EVERY_S: Final = 5.0
END_WITHIN_S: Final = 5.0
STOPPED: Final = "O servidor foi encerrado no meio do treino. O modelo em uso continua o mesmo."
_PROJECT: Final = Path(__file__).parents[2]
_COMPLAINT_CHARS: Final = 2_000


class TrainerFailed(Exception):
    """`reason` is a sentence for people."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)


class TrainingRun:
    """Has `python -m ml` train in a process of its own, and serves what it leaves.

    In a process of its own, since a training holds the interpreter lock for seconds and needs scikit-learn,
    neither of which those who answer requests should bear. `books` are asked for when it begins. Everything but
    the event belongs to the thread that calls `execute`.
    """

    def __init__(
        self,
        row: TrainingRow,
        books: Callable[[], Sequence[Row]],
        settings: Settings,
        database: Database,
        models: ModelStore,
        metrics: Metrics,
    ) -> None:
        self.id = row.id
        self._books = books
        self._settings = settings
        self._database = database
        self._models = models
        self._metrics = metrics
        self._stopping = threading.Event()

    def stop(self) -> None:
        """End the training as interrupted, soon."""
        self._stopping.set()

    def execute(self) -> None:
        """The thread's body; whatever happens, the training's row says how it ended."""
        try:
            status, reason = self._attempt()
            if status is not RunStatus.DONE:
                self._end(status, reason)
        except LeaseLost:
            log.warning("training_lease_lost", extra={"version": self.id})
            return
        except SQLAlchemyError:
            # The lease expires unrenewed, and whoever looks next marks the training as interrupted.
            log.exception("training_end_not_recorded", extra={"version": self.id})
            return
        self._metrics.count_training(status)
        log.info("training_ended", extra={"version": self.id, "outcome": status.value, "reason": reason})
        self._follow_up()

    def _attempt(self) -> tuple[RunStatus, str | None]:
        try:
            with self._scratch() as scratch:
                digests = self._train(scratch)
                left = {name: (scratch / name).read_bytes() for name in (MODEL_NAME, CARD_NAME)}
            if {name: digest_of(content) for name, content in left.items()} != digests:
                raise TrainerFailed("O que está no lugar do modelo não é o que o treino gravou.")
            self._publish(left[MODEL_NAME], json.loads(left[CARD_NAME]))
        except LeaseLost:
            raise
        except TrainerFailed as error:
            if self._stopping.is_set():
                return RunStatus.INTERRUPTED, STOPPED
            return RunStatus.ERROR, error.reason
        except Exception:
            log.exception("training_crashed", extra={"version": self.id})
            return RunStatus.ERROR, "Falha interna; o motivo está no log do servidor."
        return RunStatus.DONE, None

    @contextlib.contextmanager
    def _scratch(self) -> Iterator[Path]:
        folder = models_folder(self._settings.data_dir)
        clear_scratch(self._settings.data_dir)  # this is the only training in progress
        with tempfile.TemporaryDirectory(prefix=SCRATCH_PREFIX, dir=folder) as scratch:
            yield Path(scratch)

    def _train(self, scratch: Path) -> Any:
        """Run the trainer, renewing the lease meanwhile; answers the digests of the files that it says it wrote.

        Raises TrainerFailed or LeaseLost.
        """
        data, complaints = scratch / "livros.json", scratch / "erros.txt"
        data.write_text(json.dumps(self._books()), encoding="utf-8")
        with complaints.open("wb") as errors:
            trainer = subprocess.Popen(  # noqa: S603 - our own program, on a file of ours
                [sys.executable, "-m", "ml", str(data), "--out", str(scratch), "--child"],
                cwd=_PROJECT,
                env={"PATH": os.defpath, "PYTHONUTF8": "1"},  # and none of the shop's secrets
                stdin=subprocess.PIPE,  # it ends when this end is closed, however this process may die,
                start_new_session=True,  # and not by a Ctrl-C that is meant for the server
                stdout=subprocess.PIPE,
                stderr=errors,
            )
            with trainer:
                try:
                    code = self._wait_for(trainer)
                    said = trainer.stdout.read() if trainer.stdout and code == 0 else b""
                finally:
                    trainer.kill()
        if code != 0:
            complaint = complaints.read_text(errors="replace")[-_COMPLAINT_CHARS:]
            log.error(
                "trainer_failed", extra={"version": self.id, "reason": complaint or f"exit code {code}"}
            )
            raise TrainerFailed(f"O treino terminou com o código {code}; o motivo está no log do servidor.")
        return json.loads(said)

    def _wait_for(self, trainer: subprocess.Popen[bytes]) -> int:
        deadline = time.monotonic() + self._settings.ml_training_timeout_s
        renewed_at = time.monotonic()
        while not self._stopping.is_set() and time.monotonic() < deadline:
            try:
                return trainer.wait(timeout=0.2)
            except subprocess.TimeoutExpired:
                pass
            if time.monotonic() - renewed_at > RENEW_EVERY_S:
                renewed_at = time.monotonic()
                try:
                    with self._database.writing() as session:
                        self._own_row(session)
                except SQLAlchemyError:  # the lease outlasts several of these
                    log.exception("training_lease_not_renewed", extra={"version": self.id})
        raise TrainerFailed(
            f"O treino passou do limite de {self._settings.ml_training_timeout_s} s (ML_TRAINING_TIMEOUT_S)."
        )

    def _publish(self, artefact: bytes, card: dict[str, Any]) -> None:
        """Keep the model and serve it, in one transaction; its file comes first, so that no process misses it.

        Raises TrainerFailed where it can't be served.
        """
        try:
            assemble(self.id, artefact, digest_of(artefact), card)
        except ArtefactRefused as refused:
            raise TrainerFailed(f"O que o treino deixou não serve. {refused.reason}") from None
        write_model(self._settings.data_dir, self.id, artefact, card)
        with self._database.writing() as session:
            training.lock_trainings(session)
            row = self._own_row(session)
            row.status, row.ended_at = RunStatus.DONE, datetime.now(UTC)
            row.card, row.digest, row.artefact = card, digest_of(artefact), artefact
            session.flush()
            training.activate(session, row.id, row.started_by, row.ended_at)

    def _end(self, status: RunStatus, reason: str | None) -> None:
        with self._database.writing() as session:
            row = self._own_row(session)
            row.status, row.reason, row.ended_at = status, reason, datetime.now(UTC)

    def _own_row(self, session: Session) -> TrainingRow:
        """This training's row, with the lease renewed. Raises LeaseLost."""
        if not training.renew_training(session, self.id, own_identity(), datetime.now(UTC)):
            raise LeaseLost
        return session.get_one(TrainingRow, self.id)

    def _follow_up(self) -> None:
        """Swap the model and forget old ones, after what the database says."""
        try:
            self._models.refresh()
            with self._database.writing() as session:
                training.trim_trainings(session)
                known = training.known_versions(session)
            forget_models(self._settings.data_dir, known)
        except (OSError, SQLAlchemyError):
            log.exception("old_models_not_removed")
