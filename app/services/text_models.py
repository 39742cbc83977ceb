"""What the model in use found in the texts of the books, for the snapshot of the catalogue."""

import logging

from app.core.books import Publication
from app.observability.metrics import Metrics
from app.storage import training
from app.storage.catalogue import DEMONSTRATION
from app.storage.database import Database
from ml.artefact import ArtefactRefused
from ml.text_model import NO_TEXT_MODEL, TextModel, load
from ml.verdict import Verdict

log = logging.getLogger(__name__)


class TextModels:
    """Loads what trainings found in the texts; those of an older release found nothing."""

    def __init__(self, database: Database, metrics: Metrics) -> None:
        self._database = database
        self._metrics = metrics

    def load(self, publication: Publication) -> TextModel:
        """Return what the model in use found; where that is damaged, nothing, and why. Raises SQLAlchemyError.

        The demonstration's ids are those of other books, once another catalogue is published.
        """
        version = publication.model_version
        with self._database.reading() as session:
            digest, content, origin = training.texts_of(session, version)
        texts = NO_TEXT_MODEL
        if digest is not None and (origin != DEMONSTRATION or publication.origin == DEMONSTRATION):
            try:
                texts = load(content or b"", digest)
            except ArtefactRefused as refused:
                log.error("text_model_refused", extra={"version": version, "reason": refused.reason})
                texts = TextModel(Verdict.REFUSED, problem=refused.reason)
        self._metrics.set_model_rejected("texts", rejected=texts.problem is not None)
        return texts
