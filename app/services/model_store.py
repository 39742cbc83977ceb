"""The model that this process predicts with."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from app.core.training import Training
from app.observability.metrics import Metrics
from app.storage import training
from app.storage.catalogue_store import CatalogueStore
from app.storage.database import Database
from app.storage.model_files import artefact_path, write_model
from app.storage.polled import CHECK_EVERY_S, Polled
from ml.artefact import ArtefactRefused, digest_of, load
from ml.drift import Profile
from ml.predict import Predictor
from ml.verdict import Verdict

log = logging.getLogger(__name__)

NO_VERSION = 0
UNREADABLE = "O arquivo do modelo não pôde ser lido."


@dataclass(frozen=True, slots=True)
class ServedModel:
    """A model with all that predictions need.

    `problem` says why the active version can't be served; the fallback then predicts the commonest rating.
    """

    version: int
    verdict: Verdict
    predictor: Predictor
    profile: Profile | None
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class _Loaded:
    """A model, the choice that it follows, and the catalogue version of a fallback (None for a trained model)."""

    model: ServedModel
    choice: tuple[int | None, datetime | None]
    fallback_of: int | None


class ModelStore:
    """Holds the model and replaces it when the database names another version."""

    def __init__(
        self,
        data_dir: Path,
        database: Database,
        catalogue: CatalogueStore,
        metrics: Metrics,
        check_every_s: float = CHECK_EVERY_S,
    ) -> None:
        self._data_dir = data_dir
        self._database = database
        self._catalogue = catalogue
        self._metrics = metrics
        self._newest_seen = NO_VERSION
        self._loaded = Polled(self._load, "model_check_failed", check_every_s)

    def current(self) -> ServedModel:
        """Return the model; another process' choice shows after `check_every_s` seconds.

        Only the first caller of a process waits for it; where that is a real model, for scikit-learn too.
        """
        return self._loaded.current().model

    def refresh(self) -> ServedModel:
        """Return the model that is to be served now. Raises SQLAlchemyError."""
        return self._loaded.refresh().model

    def ensure_version(self, version: int) -> None:
        """Reload unless the database was asked since `version` was trained. Raises SQLAlchemyError."""
        if version > self._newest_seen:
            self.refresh()
            self._catalogue.refresh()  # which shows what the model found in the texts
            self._newest_seen = version

    def _load(self, loaded: _Loaded | None) -> _Loaded:
        with self._database.reading() as session:
            choice = training.active_choice(session)
        published = self._catalogue.current().publication.version
        # A fallback follows the catalogue, and each publication is an occasion to try the chosen version again.
        if loaded is not None and loaded.choice == choice and loaded.fallback_of in (None, published):
            return loaded
        with self._database.reading() as session:
            run = training.RUNS.get(session, choice[0] or NO_VERSION)
        model = self._fallback(Verdict.UNTRAINED, None) if run is None else self._serve(run)
        self._metrics.set_model_rejected("ratings", rejected=model.problem is not None)
        return _Loaded(model, choice, published if model.version == NO_VERSION else None)

    def load(self, run: Training) -> ServedModel:
        """Return the model of a successful training. Raises ArtefactRefused where it can no longer be used."""
        return assemble(run.id, self._artefact(run), run.digest or "", run.card or {})

    def _serve(self, run: Training) -> ServedModel:
        try:
            model = self.load(run)
        except ArtefactRefused as refused:
            log.error("model_refused", extra={"version": run.id, "reason": refused.reason})
            return self._fallback(Verdict.REFUSED, refused.reason)
        log.info("model_served", extra={"version": run.id})
        return model

    def _artefact(self, run: Training) -> bytes:
        """Return the bytes of the file, or, where it isn't the recorded one, of the database, which become its file.

        This machine's file may be missing, damaged, or older than the database.
        """
        path = artefact_path(self._data_dir, run.id)
        try:
            content = path.read_bytes() if path.is_file() else None  # a pipe would be waited for
        except OSError:
            content = None
            log.exception("model_file_not_read")
        if content is not None and digest_of(content) == run.digest:
            return content
        log.warning(
            "model_file_missing" if content is None else "model_file_stale", extra={"version": run.id}
        )
        with self._database.reading() as session:
            stored = training.artefact_of(session, run.id)
        if stored is None or run.card is None:
            raise ArtefactRefused("O arquivo do modelo não existe mais.")
        if digest_of(stored) == run.digest:
            try:
                write_model(self._data_dir, run.id, stored, run.card)
            except OSError:
                log.exception("model_file_not_written")
        return stored

    def _fallback(self, verdict: Verdict, problem: str | None) -> ServedModel:
        """Return the baseline of the present catalogue, for want of a model."""
        by_rating = self._catalogue.current().overview().by_rating
        return ServedModel(NO_VERSION, verdict, Predictor(by_rating, {}, ()), None, problem)


def assemble(version: int, artefact: bytes, digest: str, card: Mapping[str, Any]) -> ServedModel:
    """Return the model of a training's artefact and card. Raises ArtefactRefused, whatever is wrong with them."""
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
