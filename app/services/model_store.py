"""The model that this process predicts with."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy.exc import SQLAlchemyError

from app.observability.metrics import Metrics
from app.storage import training
from app.storage.catalogue_store import CatalogueStore
from app.storage.database import Database
from app.storage.model_files import artefact_path, write_model
from app.storage.models import TrainingRow
from ml.artefact import ArtefactRefused, load
from ml.drift import Profile
from ml.predict import Predictor
from ml.verdict import Verdict

log = logging.getLogger(__name__)

CHECK_EVERY_S = 0.5
"""How often the database is asked whether another version is to be served."""
NO_VERSION = 0
UNREADABLE = "O arquivo do modelo não pôde ser lido."


@dataclass(frozen=True, slots=True)
class ServedModel:
    """What answers predictions, whole: it is only ever swapped.

    `problem` says why the version that should be served is not; the commonest rating answers instead.
    """

    version: int
    verdict: Verdict
    predictor: Predictor
    profile: Profile | None
    problem: str | None = None


class Models:
    """Holds the model and replaces it when the database names another version.

    `_current` is only ever swapped, so those who predict need no lock; `_loading` lets one thread at a time look
    and load, while the others go on with what is there.
    """

    def __init__(
        self, data_dir: Path, database: Database, catalogue: CatalogueStore, metrics: Metrics
    ) -> None:
        self._data_dir = data_dir
        self._database = database
        self._catalogue = catalogue
        self._metrics = metrics
        self._current: ServedModel | None = None
        self._wanted: tuple[int | None, datetime | None] = (None, None)
        self._stands_in_for: int | None = None
        self._newest_seen = NO_VERSION
        self._checked_at = float("-inf")
        self._loading = threading.Lock()

    def current(self) -> ServedModel:
        """The model, compared with the database every CHECK_EVERY_S.

        Only the first caller of a process waits for it; where that is a real model, for scikit-learn too.
        """
        if time.monotonic() - self._checked_at > CHECK_EVERY_S and self._loading.acquire(
            blocking=self._current is None
        ):
            try:
                if self._current is None or time.monotonic() - self._checked_at > CHECK_EVERY_S:
                    self._reload()
            except SQLAlchemyError:
                if self._current is None:
                    raise
                log.exception("model_check_failed")
            finally:
                if self._current is not None:
                    self._checked_at = time.monotonic()
                self._loading.release()
        return self._current_or_fail()

    def refresh(self) -> ServedModel:
        """Swap in what is to be served now, without waiting for the next check."""
        with self._loading:
            self._reload()
            self._checked_at = time.monotonic()
            return self._current_or_fail()

    def catch_up(self, version: int) -> None:
        """Have looked since `version` was made, which somebody has just been told."""
        if version > self._newest_seen:
            self.refresh()
            self._newest_seen = version

    def _current_or_fail(self) -> ServedModel:
        if self._current is None:
            raise RuntimeError("no model was ever loaded")
        return self._current

    def _reload(self) -> None:
        with self._database.reading() as session:
            wanted = training.active_choice(session)
        published = self._catalogue.current().publication.version
        # What stands in for a model follows the catalogue, and each publication is an occasion to try again.
        if self._current is not None and self._wanted == wanted and self._stands_in_for in (None, published):
            return
        with self._database.reading() as session:
            row = session.get(TrainingRow, wanted[0] or NO_VERSION)
        self._current = self._stand_in(Verdict.UNTRAINED, None) if row is None else self._serve(row)
        self._wanted = wanted
        self._stands_in_for = published if self._current.version == NO_VERSION else None
        self._metrics.set_model_rejected(self._current.problem is not None)

    def load(self, row: TrainingRow) -> ServedModel:
        """The model of a training that is done. Raises ArtefactRefused where it can't be served any more."""
        return assemble(row.id, self._artefact(row), row.digest or "", row.card or {})

    def _serve(self, row: TrainingRow) -> ServedModel:
        try:
            model = self.load(row)
        except ArtefactRefused as refused:
            log.error("model_refused", extra={"version": row.id, "reason": refused.reason})
            return self._stand_in(Verdict.REFUSED, refused.reason)
        log.info("model_served", extra={"version": row.id})
        return model

    def _artefact(self, row: TrainingRow) -> bytes:
        """The file's bytes; where this machine has none, the database's, which then become its file."""
        path = artefact_path(self._data_dir, row.id)
        if path.exists() and not path.is_file():  # a pipe would be waited for
            raise ArtefactRefused(UNREADABLE)
        try:
            return path.read_bytes()
        except FileNotFoundError:
            log.warning("model_file_missing", extra={"version": row.id})
        except OSError:
            log.exception("model_file_not_read")
            raise ArtefactRefused(UNREADABLE) from None
        with self._database.reading() as session:
            content = training.artefact_of(session, row.id)
        if content is None or row.card is None:
            raise ArtefactRefused("O arquivo do modelo não existe mais.")
        try:
            write_model(self._data_dir, row.id, content, row.card)
        except OSError:
            log.exception("model_file_not_written")
        return content

    def _stand_in(self, verdict: Verdict, problem: str | None) -> ServedModel:
        """The baseline of the catalogue as it is, for want of a model."""
        by_rating = self._catalogue.current().overview().by_rating
        return ServedModel(NO_VERSION, verdict, Predictor(by_rating, {}, ()), None, problem)


def assemble(version: int, artefact: bytes, digest: str, card: Mapping[str, Any]) -> ServedModel:
    """What a training left, ready to predict. Raises ArtefactRefused, whatever is wrong with it."""
    try:
        estimators = load(artefact, digest, card)
        counts = {int(rating): count for rating, count in card["dados"]["classes"].items()}
        predictor = Predictor(counts, estimators, card["categorias"])
        return ServedModel(
            version,
            Verdict(card["veredito"]),
            predictor,
            Profile.from_json(card["perfil"], card["categorias"]),
        )
    except ArtefactRefused:
        raise
    except Exception as error:  # whatever a file holds, the shop goes on
        log.exception("model_not_read", extra={"version": version})
        raise ArtefactRefused(UNREADABLE) from error
