"""Trainings that end as a test wants, in a moment."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from flask.testing import FlaskClient

from app.core.runs import RunStatus
from app.processes import own_identity
from app.shop import Shop
from app.storage.models import TrainingRow
from app.storage.training import LEASE_TTL

ML = "/api/v1/ml"
HANG = "exec sleep 60"
ROW = {"preco_com_taxa": 10, "preco_sem_taxa": 8, "disponibilidade": 1}


def train(shop: Shop, username: str = "admin") -> TrainingRow:
    """A training from its beginning to its end."""
    version = shop.trainings.start(username).id
    shop.trainings.wait(60)
    with shop.database.reading() as session:
        row = session.get_one(TrainingRow, version)
    assert row.status != RunStatus.PROCESSING
    return row


def train_elsewhere(
    shop: Shop,
    holder: str | None = None,
    status: RunStatus = RunStatus.PROCESSING,
    age: timedelta = timedelta(),
) -> int:
    """A training that another process has begun, or one of us that hangs, `age` ago."""
    now = datetime.now(UTC) - age
    with shop.database.writing() as session:
        row = TrainingRow(
            status=status,
            started_by="admin",
            started_at=now,
            catalogue_version=shop.catalogue.current().publication.version,
            holder=holder or own_identity(),
            expires_at=now + LEASE_TTL,
        )
        session.add(row)
        session.flush()
    return row.id


def status_of(client: FlaskClient) -> dict[str, Any]:
    status: dict[str, Any] = client.get(f"{ML}/status").get_json()
    return status


def eventually(ask: Callable[[], Any], within_s: float = 20) -> Any:
    """What `ask` answers as soon as it is true."""
    deadline = time.monotonic() + within_s
    while not (answer := ask()):
        assert time.monotonic() < deadline, "it never came true"
        time.sleep(0.01)
    return answer


def pid_in(path: Path) -> int:
    """The process id that a trainer writes into `path`, as soon as it has."""
    return int(eventually(lambda: path.exists() and path.read_text().strip()))


def versions_of(client: FlaskClient, headers: dict[str, str], query: str = "") -> list[tuple[int, bool]]:
    """Every model's version, and whether it is in use."""
    models = client.get(f"{ML}/models{query}", headers=headers).get_json()
    return [(model["versao"], model["em_uso"]) for model in models]


def served_version(client: FlaskClient) -> str:
    return client.post(f"{ML}/predictions", json=[ROW]).headers["X-Model-Version"]
