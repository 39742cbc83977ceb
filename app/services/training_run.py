"""One training, from the catalogue to the model that is served."""

import contextlib
import json
import logging
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import orjson
from sqlalchemy.exc import SQLAlchemyError

from app.core.runs import RunStatus
from app.core.training import Training
from app.services.background import BackgroundRun, RunFailed, RunKind
from app.services.model_store import assemble
from app.settings import Settings
from app.storage import training
from app.storage.catalogue import load_texts
from app.storage.database import Database
from app.storage.faults import log_failure
from app.storage.model_files import SCRATCH_PREFIX, clear_scratch, models_folder, write_model
from ml.artefact import CARD_NAME, MODEL_NAME, ArtefactRefused, digest_of
from ml.features import Row
from ml.text_model import TEXTS_NAME
from ml.text_model import load as load_text_model
from operating_system import APART, CHILD_VARIABLES

log = logging.getLogger(__name__)

LoadBooks = Callable[[], Sequence[Row]]

TRAINER: Final = (sys.executable, "-m", "ml")
RENEW_EVERY_S: Final = 5.0
_PROJECT: Final = Path(__file__).parents[2]
_MAX_ERROR_CHARACTERS: Final = 2_000
_INTERPRETER_VARIABLES: Final = (
    "LD_LIBRARY_PATH",
    "DYLD_LIBRARY_PATH",
    "PYTHONHOME",
    "TMPDIR",
    *CHILD_VARIABLES,
)
"""What some Pythons need to start."""


class BackgroundTraining(BackgroundRun[Training]):
    """Has `python -m ml` train, and serves its model.

    The trainer is a process of its own, since it holds the interpreter lock for seconds and needs scikit-learn:
    requests should bear neither.
    """

    def __init__(
        self,
        kind: RunKind[Training],
        run: Training,
        settings: Settings,
        database: Database,
        load_books: LoadBooks,
    ) -> None:
        super().__init__(kind, run, settings, database)
        self._load_books = load_books

    def work(self) -> None:
        with self._scratch() as scratch:
            digests = self._train(scratch)
            files = {name: (scratch / name).read_bytes() for name in (MODEL_NAME, CARD_NAME, TEXTS_NAME)}
        if {name: digest_of(content) for name, content in files.items()} != digests:
            raise RunFailed("O que está no lugar do modelo não é o que o treino gravou.")
        self._publish(files[MODEL_NAME], json.loads(files[CARD_NAME]), files[TEXTS_NAME])

    @contextlib.contextmanager
    def _scratch(self) -> Iterator[Path]:
        folder = models_folder(self._settings.data_dir)
        clear_scratch(self._settings.data_dir)  # this is the only training in progress
        with tempfile.TemporaryDirectory(prefix=SCRATCH_PREFIX, dir=folder) as scratch:
            yield Path(scratch)

    def _train(self, scratch: Path) -> Any:
        """Run the trainer, renewing the lease meanwhile; return the digests of its files as it printed them.

        Raises RunFailed or LeaseLost.
        """
        data, texts, error_file = scratch / "livros.json", scratch / "textos.ndjson", scratch / "erros.txt"
        data.write_text(json.dumps(self._load_books()), encoding="utf-8")
        self._write_texts(texts)
        with error_file.open("wb") as errors:
            trainer = subprocess.Popen(  # noqa: S603 - our own program, on a file of ours
                [*TRAINER, str(data), "--out", str(scratch), "--child", "--textos", str(texts)],
                cwd=_PROJECT,
                env=_environment(),
                stdin=subprocess.PIPE,  # it ends when this end is closed, however this process may die,
                stdout=subprocess.PIPE,
                stderr=errors,
                **APART,  # and not by a Ctrl-C that is meant for the server
            )
            with trainer:
                try:
                    code = self._wait_for(trainer)
                    output = trainer.stdout.read() if trainer.stdout and code == 0 else b""
                finally:
                    trainer.kill()
        if code != 0:
            reason = error_file.read_text(errors="replace")[-_MAX_ERROR_CHARACTERS:] or f"exit code {code}"
            log.error("trainer_failed", extra={"version": self.run.id, "reason": reason})
            raise RunFailed(f"O treino terminou com o código {code}; o motivo está no log do servidor.")
        return json.loads(output)

    def _write_texts(self, path: Path) -> None:
        """Write the texts of the books on sale, a line each: of a large catalogue they are not held in memory."""
        with path.open("wb") as file, self._database.reading() as session:
            file.writelines(orjson.dumps(book) + b"\n" for book in load_texts(session))

    def _wait_for(self, trainer: subprocess.Popen[bytes]) -> int:
        """Return the trainer's exit code. Raises RunFailed where it takes too long or the server stops."""
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
                        self._renew_lease(session)
                except SQLAlchemyError as error:  # the lease outlasts several of these
                    log_failure(log, "training_lease_not_renewed", error, version=self.run.id)
        if self._stopping.is_set():
            raise RunFailed(self._kind.stopped, RunStatus.INTERRUPTED)
        raise RunFailed(
            f"O treino passou do limite de {self._settings.ml_training_timeout_s} s (ML_TRAINING_TIMEOUT_S)."
        )

    def _publish(self, artefact: bytes, card: Mapping[str, Any], texts: bytes) -> None:
        """Store and serve the model, in one transaction; its file comes first, so that no process misses it.

        Raises RunFailed where it can't be served.
        """
        version, digest = self.run.id, digest_of(artefact)
        try:
            assemble(version, artefact, digest, card)
            load_text_model(texts, digest_of(texts))
        except ArtefactRefused as refused:
            raise RunFailed(f"O que o treino deixou não serve. {refused.reason}") from None
        write_model(self._settings.data_dir, version, artefact, card)
        with self._database.writing() as session:
            training.RUNS.lock(session)
            self._renew_lease(session)
            training.save_model(session, version, card, artefact, texts)
            self._record_end(session, RunStatus.DONE)
            training.activate(session, version, self.run.started_by, self._database.now(session))


def _environment() -> dict[str, str]:
    """Return the trainer's environment: what its Python needs, and none of the shop's secrets."""
    needed = {name: os.environ[name] for name in _INTERPRETER_VARIABLES if name in os.environ}
    return {"PATH": os.defpath, "PYTHONUTF8": "1", **needed}
