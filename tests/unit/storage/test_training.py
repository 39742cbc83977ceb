from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from app.core.runs import RunStatus
from app.storage import training
from app.storage.database import Database
from app.storage.models import ActiveModelRow, TrainingRow
from app.storage.runs import LEASE_TTL
from app.storage.training import RUNS

NOW = datetime(2026, 1, 1, tzinfo=UTC)
DONE, FAILED, RUNNING = RunStatus.DONE, RunStatus.ERROR, RunStatus.PROCESSING


def add(database: Database, *statuses: RunStatus, holder: str = "me") -> list[int]:
    """Trainings that ended, or didn't, as `statuses` say; answers their versions."""
    rows = [
        TrainingRow(
            status=status,
            started_by="admin",
            started_at=NOW,
            catalogue_version=1,
            holder=holder,
            expires_at=NOW + LEASE_TTL,
            artefact=b"model" if status is DONE else None,
        )
        for status in statuses
    ]
    for row in rows:  # one transaction each, as trainings are
        with database.writing() as session:
            session.add(row)
            session.flush()
    return [row.id for row in rows]


def trim(database: Database) -> set[int]:
    with database.writing() as session:
        training.trim_trainings(session)
        return training.known_versions(session)


def versions(database: Database) -> list[int]:
    with database.reading() as session:
        return list(session.scalars(select(TrainingRow.id).order_by(TrainingRow.id)))


def activate(database: Database, version: int, username: str = "admin") -> None:
    with database.writing() as session:
        training.activate(session, version, username, NOW)


def test_a_new_database_has_no_model_and_one_row_to_name_it(database: Database) -> None:
    with database.reading() as session:
        assert training.active_model(session) is None
        assert RUNS.latest(session) is None
        assert RUNS.in_progress(session) == []
        assert RUNS.page(session, 0, 10, DONE) == ([], 0)
        assert training.artefact_of(session, 1) is None
        assert len(session.scalars(select(ActiveModelRow)).all()) == 1


def test_the_newest_models_are_kept(database: Database) -> None:
    ids = add(database, *[DONE] * 13)
    activate(database, ids[-1])
    assert trim(database) == set(ids[-training.MAX_MODELS :])
    assert versions(database) == ids[-training.MAX_MODELS :]


def test_the_model_in_use_is_kept_however_old_it_is(database: Database) -> None:
    ids = add(database, *[DONE] * 13)
    activate(database, ids[0])
    assert trim(database) == {ids[0], *ids[-training.MAX_MODELS :]}
    assert versions(database) == [ids[0], *ids[-training.MAX_MODELS :]]
    activate(database, ids[-1])
    assert ids[0] not in trim(database)


def test_failures_crowd_out_no_model_and_are_forgotten_too(database: Database) -> None:
    [model] = add(database, DONE)
    failed = add(database, *[FAILED, RunStatus.INTERRUPTED] * 12)
    assert trim(database) == {model, *failed[-training.MAX_FAILED_TRAININGS :]}
    assert versions(database) == [model, *failed[-training.MAX_FAILED_TRAININGS :]]


def test_models_crowd_out_no_failure(database: Database) -> None:
    [failed] = add(database, FAILED)
    add(database, *[DONE] * 13)
    trim(database)
    assert versions(database)[0] == failed


def test_the_training_in_progress_is_kept(database: Database) -> None:
    add(database, *[FAILED] * 25)
    [running] = add(database, RUNNING)
    trim(database)
    assert versions(database)[-1] == running


def test_few_trainings_are_all_kept(database: Database) -> None:
    ids = add(database, DONE, FAILED, DONE, RUNNING)
    assert trim(database) == set(ids)
    assert versions(database) == ids


@pytest.mark.parametrize("last", [DONE, FAILED])
def test_a_version_is_never_given_twice(database: Database, last: RunStatus) -> None:
    given = add(database, *[FAILED] * 25, *[DONE] * 12, last)
    activate(database, given[0] if last is FAILED else given[-1])
    for _ in range(3):
        trim(database)
        [version] = add(database, last)
        assert version > max(given)
        given.append(version)


def test_models_are_listed_from_the_newest_on_by_page(database: Database) -> None:
    ids = add(database, DONE, FAILED, DONE, DONE, RUNNING)
    with database.reading() as session:
        first, total = RUNS.page(session, 0, 2, DONE)
        second, _ = RUNS.page(session, 2, 2, DONE)
    assert ([run.id for run in first], [run.id for run in second], total) == ([ids[3], ids[2]], [ids[0]], 3)


def test_the_latest_training_is_found_by_how_it_ended(database: Database) -> None:
    done, failed, running = add(database, DONE, FAILED, RUNNING)
    with database.reading() as session:
        runs = [RUNS.latest(session, *statuses) for statuses in ((), (DONE,), (DONE, FAILED))]
    assert [run.id for run in runs if run] == [running, done, failed]


def test_a_training_is_renewed_by_its_holder_only_and_until_it_ends(database: Database) -> None:
    [mine, ended] = add(database, RUNNING, FAILED)
    later = NOW + timedelta(seconds=5)
    with database.writing() as session:
        assert not RUNS.renew(session, mine, "you", later)
        assert not RUNS.renew(session, ended, "me", later)
        assert not RUNS.renew(session, 99, "me", later)
        assert RUNS.renew(session, mine, "me", later)
    with database.reading() as session:
        assert session.get_one(TrainingRow, mine).expires_at == later + LEASE_TTL
        assert session.get_one(TrainingRow, ended).expires_at == NOW + LEASE_TTL


def test_who_chose_a_model_is_remembered(database: Database) -> None:
    first, second = add(database, DONE, DONE)
    activate(database, first)
    activate(database, second, "operadora")
    with database.reading() as session:
        model = training.active_model(session)
        assert model is not None
        assert model.id == second
        chosen = session.get_one(ActiveModelRow, 1)
        assert (chosen.chosen_by, chosen.chosen_at) == ("operadora", NOW)


@pytest.mark.parametrize("wrong", ["unknown", "deleted"])
def test_what_is_in_use_always_exists(database: Database, wrong: str) -> None:
    [version] = add(database, DONE)
    activate(database, version)
    with pytest.raises(IntegrityError), database.writing() as session:
        if wrong == "unknown":
            training.activate(session, version + 1, "admin", NOW)
            session.flush()
        else:
            session.delete(session.get_one(TrainingRow, version))
    with database.reading() as session:
        assert training.artefact_of(session, version) == b"model"


def test_a_second_model_in_use_is_refused_by_the_database(database: Database) -> None:
    with pytest.raises(IntegrityError), database.writing() as session:
        session.add(ActiveModelRow(id=2))


def test_of_many_that_want_to_train_one_begins(database: Database) -> None:
    ready = threading.Barrier(6)

    def begin(number: int) -> bool:
        ready.wait(10)
        with database.writing() as session:
            RUNS.lock(session)
            if RUNS.in_progress(session):
                return False
            training.RUNS.begin(session, "admin", f"holder {number}", NOW, catalogue_version=1)
            return True

    with ThreadPoolExecutor(6) as pool:
        assert sorted(pool.map(begin, range(6))) == [False] * 5 + [True]
    assert len(versions(database)) == 1
