"""Rows of the trainings, the models that they made, and the active one."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from app.core.runs import RunStatus
from app.core.training import Training
from app.storage.models import ActiveModelRow, PublicationRow, TrainingRow
from app.storage.runs import RunTable
from ml.artefact import digest_of

MAX_MODELS: Final = 10
MAX_FAILED_TRAININGS: Final = 20
RUNS: Final = RunTable(TrainingRow, ActiveModelRow, Training)


def save_model(
    session: Session, version: int, card: Mapping[str, Any], artefact: bytes, texts: bytes
) -> None:
    """Store the model that a training made, and what it found in the texts."""
    digests = {"digest": digest_of(artefact), "texts_digest": digest_of(texts)}
    session.execute(
        update(TrainingRow)
        .where(TrainingRow.id == version)
        .values(card=card, artefact=artefact, texts=texts, **digests)
    )


def active_choice(session: Session) -> tuple[int | None, datetime | None]:
    """Return the version that every process is to serve, and when it was chosen."""
    row = session.get_one(ActiveModelRow, 1)
    return row.version, row.chosen_at


def failures_since(session: Session, catalogue_version: int, moment: datetime) -> list[Training]:
    """Return the trainings on a catalogue that ended after `moment` without a model."""
    failed = select(TrainingRow).where(
        TrainingRow.catalogue_version == catalogue_version,
        TrainingRow.status.in_((RunStatus.ERROR, RunStatus.INTERRUPTED)),
        TrainingRow.ended_at > moment,
    )
    return [RUNS.read(row) for row in session.scalars(failed)]


def active_model(session: Session) -> Training | None:
    """Return the training whose model is active."""
    active = select(TrainingRow).join(ActiveModelRow, ActiveModelRow.version == TrainingRow.id)
    row = session.scalar(active)
    return None if row is None else RUNS.read(row)


def activate(session: Session, version: int, username: str, now: datetime) -> None:
    """Have every process serve `version`."""
    row = session.get_one(ActiveModelRow, 1, with_for_update=True)
    row.version, row.chosen_by, row.chosen_at = version, username, now


def artefact_of(session: Session, version: int) -> bytes | None:
    return session.scalar(select(TrainingRow.artefact).where(TrainingRow.id == version))


def texts_of(session: Session, version: int) -> tuple[str | None, bytes | None, str | None]:
    """Return the recorded digest of what a training found in the texts, its bytes, and the origin of those texts."""
    texts = (
        select(TrainingRow.texts_digest, TrainingRow.texts, PublicationRow.origin)
        .outerjoin(PublicationRow, PublicationRow.version == TrainingRow.catalogue_version)
        .where(TrainingRow.id == version)
    )
    row = session.execute(texts).one_or_none()
    return (None, None, None) if row is None else (row[0], row[1], row[2])


def known_versions(session: Session) -> set[int]:
    """Return the version of every training, one in progress included."""
    return set(session.scalars(select(TrainingRow.id)))


def trim_trainings(session: Session, models_kept: int = MAX_MODELS) -> None:
    """Forget all but the newest `models_kept` models, MAX_FAILED_TRAININGS other trainings and the active model."""
    # Locked, or else a training that begins just now would be forgotten, too.
    active = session.get_one(ActiveModelRow, 1, with_for_update=True).version
    done = TrainingRow.status == RunStatus.DONE
    newest = select(TrainingRow.id).order_by(TrainingRow.id.desc())
    models = set(session.scalars(newest.where(done).limit(models_kept))) | ({active} if active else set())
    others = session.scalars(newest.where(~done).limit(MAX_FAILED_TRAININGS))
    session.execute(delete(TrainingRow).where(TrainingRow.id.not_in(models | set(others))))
