"""Trainings that end as a test wants, in a moment."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from flask.testing import FlaskClient
from sqlalchemy import update

from app.core.runs import RunStatus
from app.core.training import Training
from app.processes import own_identity
from app.shop import Shop
from app.storage import training
from app.storage.model_files import artefact_path
from app.storage.models import TrainingRow
from tests.support.runs import join_runs

ML = "/api/v1/ml"
HANG = "exec sleep 60"
PRINT_DIGESTS = """
digest() { sha256sum < "$OUT/$1" | cut -d " " -f 1; }
printf '{"modelo.joblib": "%s", "ficha.json": "%s", "textos.npz": "%s"}' \
    "$(digest modelo.joblib)" "$(digest ficha.json)" "$(digest textos.npz)"
"""
ROW = {"preco_com_taxa": 10, "preco_sem_taxa": 8, "disponibilidade": 1}


def write_trainer(folder: Path, line: str) -> str:
    """Write a program to use instead of `python -m ml`; return its path.

    It runs a line of shell, in which $DATA is the file of the training data, $TEXTS that of the texts, and $OUT the
    folder of the results.
    """
    program = folder / "trainer"
    program.write_text(f'#!/bin/sh\nDATA="$1" OUT="$3" TEXTS="$6"\n{line}\n{PRINT_DIGESTS}\n')
    program.chmod(0o755)
    return str(program)


def copy_model(model_files: Path) -> str:
    """Return the line of shell of a trainer that leaves `model_files`."""
    return f'cp "{model_files}/modelo.joblib" "{model_files}/ficha.json" "{model_files}/textos.npz" "$OUT"'


def train(shop: Shop, username: str = "admin") -> Training:
    """Train to the end."""
    version = shop.trainings.start(username).id
    join_runs()
    run = training_of(shop, version)
    assert run.status is not RunStatus.PROCESSING
    return run


def training_of(shop: Shop, version: int) -> Training:
    with shop.database.reading() as session:
        run = training.RUNS.get(session, version)
    assert run is not None
    return run


def train_elsewhere(
    shop: Shop,
    holder: str | None = None,
    status: RunStatus = RunStatus.PROCESSING,
    age: timedelta = timedelta(),
) -> int:
    """Add a training that another process began `age` ago, or a hung one of this process; return its version."""
    now = datetime.now(UTC) - age
    version = shop.catalogue.current().publication.version
    with shop.database.writing() as session:
        run = training.RUNS.begin(session, "admin", holder or own_identity(), now, catalogue_version=version)
        if status is not RunStatus.PROCESSING:
            training.RUNS.close(session, run.id, status, None, now)
    return run.id


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


def damage_model(shop: Shop, version: int = 1) -> None:
    """Change the bytes of a model, in its file and in the database."""
    artefact_path(shop.settings.data_dir, version).write_bytes(b"tampered with")
    with shop.database.writing() as session:
        session.execute(
            update(TrainingRow).where(TrainingRow.id == version).values(artefact=b"tampered with")
        )
