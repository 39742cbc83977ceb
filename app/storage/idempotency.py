"""Rows of `idempotencia`: the keys that clients sent, and what they were answered."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from app.storage.database import upsert_into
from app.storage.models import IdempotencyRow

KEPT_FOR = timedelta(hours=24)
KEYS_KEPT = 100_000


@dataclass(frozen=True, slots=True)
class KeyUse:
    """A key, and the SHA-256 in hex of the request it came with."""

    key: str
    body_digest: str


@dataclass(frozen=True, slots=True)
class Remembered:
    """What is known of a key; `answer` is None while its request is in flight."""

    body_digest: str
    answer: dict[str, Any] | None


def claim_key(session: Session, use: KeyUse, now: datetime) -> Remembered | None:
    """Keep the key for this transaction's request; or else what is known of it from an earlier one.

    One insert decides: of two at the same moment, the second waits for the first one's transaction.
    """
    session.execute(
        delete(IdempotencyRow).where(
            IdempotencyRow.key == use.key, IdempotencyRow.created_at < now - KEPT_FOR
        )
    )
    claimed = session.scalar(
        upsert_into(session, IdempotencyRow)
        .values(key=use.key, body_digest=use.body_digest, created_at=now)
        .on_conflict_do_nothing()
        .returning(IdempotencyRow.key)
    )
    if claimed is not None:
        return None
    # None where its request failed and let go of it just now: as if it were still failing.
    return find_key(session, use.key, now) or Remembered(use.body_digest, None)


def find_key(session: Session, key: str, now: datetime) -> Remembered | None:
    """What is known of a key that is still kept."""
    row = session.execute(
        select(IdempotencyRow.body_digest, IdempotencyRow.answer).where(
            IdempotencyRow.key == key, IdempotencyRow.created_at >= now - KEPT_FOR
        )
    ).one_or_none()
    return None if row is None else Remembered(row.body_digest, row.answer)


def bind_key(session: Session, key: str, order_id: str) -> None:
    """Say which order the key's request placed."""
    session.execute(update(IdempotencyRow).where(IdempotencyRow.key == key).values(order_id=order_id))


def remember_answer(session: Session, key: str, answer: dict[str, Any]) -> None:
    session.execute(update(IdempotencyRow).where(IdempotencyRow.key == key).values(answer=answer))


def remember_order_answer(session: Session, order_id: str, answer: dict[str, Any]) -> None:
    """Keep what the request that placed the order is answered, if it came with a key."""
    session.execute(update(IdempotencyRow).where(IdempotencyRow.order_id == order_id).values(answer=answer))


def forget_order_key(session: Session, order_id: str) -> None:
    """Let the request be tried anew under the same key."""
    session.execute(delete(IdempotencyRow).where(IdempotencyRow.order_id == order_id))


def forget_old_keys(session: Session, now: datetime) -> None:
    """Forget what is older than KEPT_FOR, and of the refusals all but the newest KEYS_KEPT.

    A key that sold something is kept its whole time: forgotten, it would sell twice.
    """
    session.execute(delete(IdempotencyRow).where(IdempotencyRow.created_at < now - KEPT_FOR))
    oldest_kept = session.scalar(
        select(IdempotencyRow.created_at)
        .where(IdempotencyRow.order_id.is_(None))
        .order_by(IdempotencyRow.created_at.desc())
        .offset(KEYS_KEPT - 1)
        .limit(1)
    )
    if oldest_kept is not None:
        session.execute(
            delete(IdempotencyRow).where(
                IdempotencyRow.created_at < oldest_kept,
                IdempotencyRow.order_id.is_(None),
                IdempotencyRow.answer.is_not(None),
            )
        )
