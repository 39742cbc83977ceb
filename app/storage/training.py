"""Rows of the trainings: who trains now, the models that were made, and the one that is served."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from app.core.runs import RunStatus
from app.storage.database import updated_one
from app.storage.models import ActiveModelRow, TrainingRow

LEASE_TTL = timedelta(seconds=30)
MAX_MODELS = 10
MAX_FAILED_TRAININGS = 20


def lock_trainings(session: Session) -> ActiveModelRow:
    """Let nobody begin or end a training, or choose a model, until the transaction ends."""
    return session.get_one(ActiveModelRow, 1, with_for_update=True)


def trainings_in_progress(session: Session) -> list[TrainingRow]:
    return list(session.scalars(select(TrainingRow).where(TrainingRow.status == RunStatus.PROCESSING)))


def renew_training(session: Session, version: int, holder: str, now: datetime) -> bool:
    """Keep a training; False where somebody took it for dead."""
    renewed = session.execute(
        update(TrainingRow)
        .where(
            TrainingRow.id == version,
            TrainingRow.status == RunStatus.PROCESSING,
            TrainingRow.holder == holder,
        )
        .values(expires_at=now + LEASE_TTL)
    )
    return updated_one(renewed)


def latest_training(session: Session, *statuses: RunStatus) -> TrainingRow | None:
    """The newest training, of those with one of `statuses` where any are given."""
    newest = select(TrainingRow).order_by(TrainingRow.id.desc()).limit(1)
    return session.scalar(newest.where(TrainingRow.status.in_(statuses)) if statuses else newest)


def active_choice(session: Session) -> tuple[int | None, datetime | None]:
    """The version that every process is to serve, and when it was chosen."""
    row = session.get_one(ActiveModelRow, 1)
    return row.version, row.chosen_at


def failures_since(session: Session, catalogue_version: int, moment: datetime) -> list[TrainingRow]:
    """The trainings on that catalogue which ended after `moment` without a model."""
    failed = select(TrainingRow).where(
        TrainingRow.catalogue_version == catalogue_version,
        TrainingRow.status.in_((RunStatus.ERROR, RunStatus.INTERRUPTED)),
        TrainingRow.ended_at > moment,
    )
    return list(session.scalars(failed))


def active_model(session: Session) -> TrainingRow | None:
    """The training whose model is served."""
    return session.scalar(select(TrainingRow).join(ActiveModelRow, ActiveModelRow.version == TrainingRow.id))


def activate(session: Session, version: int, username: str, now: datetime) -> None:
    """Have every process serve `version`."""
    row = lock_trainings(session)
    row.version, row.chosen_by, row.chosen_at = version, username, now


def list_models(session: Session, offset: int, limit: int) -> tuple[list[TrainingRow], int]:
    """The models from the newest on, and how many are kept."""
    done = TrainingRow.status == RunStatus.DONE
    newest = select(TrainingRow).where(done).order_by(TrainingRow.id.desc()).offset(offset).limit(limit)
    return list(session.scalars(newest)), session.scalar(
        select(func.count()).select_from(TrainingRow).where(done)
    ) or 0


def artefact_of(session: Session, version: int) -> bytes | None:
    return session.scalar(select(TrainingRow.artefact).where(TrainingRow.id == version))


def known_versions(session: Session) -> set[int]:
    """Every training that is remembered, one in progress included."""
    return set(session.scalars(select(TrainingRow.id)))


def trim_trainings(session: Session) -> None:
    """Forget all but the newest MAX_MODELS models, MAX_FAILED_TRAININGS other trainings and the one served."""
    served = lock_trainings(session).version  # or else one that begins just now would be forgotten, too
    done = TrainingRow.status == RunStatus.DONE
    newest = select(TrainingRow.id).order_by(TrainingRow.id.desc())
    models = set(session.scalars(newest.where(done).limit(MAX_MODELS))) | ({served} if served else set())
    others = session.scalars(newest.where(~done).limit(MAX_FAILED_TRAININGS))
    session.execute(delete(TrainingRow).where(TrainingRow.id.not_in(models | set(others))))
