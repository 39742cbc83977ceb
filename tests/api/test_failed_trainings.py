"""Trainings that go wrong: the shop says why, keeps the model that it has, and leaves nothing behind."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.exc import OperationalError

from app.core.runs import RunStatus
from app.processes import own_identity
from app.services import training_run
from app.services.training import STOPPED
from app.shop import Shop
from app.storage import training
from app.storage.runs import LEASE_TTL
from tests.support.checks import problem_of
from tests.support.runs import join_runs
from tests.support.training import (
    HANG,
    ML,
    PRINT_DIGESTS,
    ROW,
    eventually,
    pid_in,
    served_version,
    status_of,
    train,
    train_elsewhere,
    training_of,
    versions_of,
)

FAILURES = {
    "exit 3": "O treino terminou com o código 3; o motivo está no log do servidor.",
    "kill -9 $$": "O treino terminou com o código -9; o motivo está no log do servidor.",
    'echo "Traceback: File /srv/segredo.py, senha" >&2; exit 1': (
        "O treino terminou com o código 1; o motivo está no log do servidor."
    ),
    "true": "Falha interna; o motivo está no log do servidor.",
    'echo x > "$OUT/modelo.joblib"': "Falha interna; o motivo está no log do servidor.",
    'echo x > "$OUT/modelo.joblib"; echo lixo > "$OUT/ficha.json"': (
        "Falha interna; o motivo está no log do servidor."
    ),
    'echo x > "$OUT/modelo.joblib"; : > "$OUT/ficha.json"': (
        "Falha interna; o motivo está no log do servidor."
    ),
    'mkdir "$OUT/modelo.joblib"; echo {} > "$OUT/ficha.json"': (
        "Falha interna; o motivo está no log do servidor."
    ),
    'rm -rf "$OUT"': "Falha interna; o motivo está no log do servidor.",
}


def is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def models_folder(shop: Shop) -> set[str]:
    return {path.name for path in (shop.settings.data_dir / "modelos").iterdir()}


@pytest.mark.parametrize("line", FAILURES)
@pytest.mark.usefixtures("six_books")
def test_a_training_that_fails_leaves_the_old_model_serving(
    client: FlaskClient,
    as_operator: dict[str, str],
    shop: Shop,
    quick_training: str,
    trainer_is: Callable[[str], None],
    line: str,
) -> None:
    train(shop)
    card = client.get(f"{ML}/model").get_json()
    trainer_is(line)
    assert client.post(f"{ML}/train", headers=as_operator).status_code == 202
    join_runs()
    status = status_of(client)
    assert (status["status"], status["versao"], status["motivo"]) == ("error", 2, FAILURES[line])
    assert status["terminado_em"] >= status["iniciado_em"]
    assert served_version(client) == "1"
    assert client.get(f"{ML}/model").get_json() == card
    assert versions_of(client, as_operator) == [(1, True)]
    assert models_folder(shop) == {"modelo-000001.joblib", "modelo-000001.json"}
    trainer_is(quick_training)
    assert train(shop).id == 3
    assert served_version(client) == "3"


@pytest.mark.parametrize("card", ["{}", "[1]", "null"])
@pytest.mark.usefixtures("six_books", "quick_training")
def test_a_training_that_leaves_no_usable_model_is_no_success(
    client: FlaskClient,
    as_operator: dict[str, str],
    shop: Shop,
    trainer_is: Callable[[str], None],
    card: str,
) -> None:
    train(shop)
    trainer_is(f'echo \'{card}\' > "$OUT/ficha.json"; echo lixo > "$OUT/modelo.joblib"')
    assert train(shop).status == RunStatus.ERROR
    assert served_version(client) == "1"
    assert client.get(f"{ML}/model").get_json()["versao"] == 1
    assert versions_of(client, as_operator) == [(1, True)]


@pytest.mark.usefixtures("six_books")
def test_a_model_put_in_the_place_of_the_trained_one_is_not_served(
    client: FlaskClient, shop: Shop, quick_training: str, trainer_is: Callable[[str], None]
) -> None:
    train(shop)
    trainer_is(f'{quick_training}\n{PRINT_DIGESTS}\necho more >> "$OUT/modelo.joblib"; exit 0')
    row = train(shop)
    assert (row.status, row.reason) == (
        RunStatus.ERROR,
        "O que está no lugar do modelo não é o que o treino gravou.",
    )
    assert served_version(client) == "1"


@pytest.mark.usefixtures("quick_training", "six_books")
def test_a_model_that_cannot_be_kept_is_an_error_and_not_tried_again_at_once(
    make_app: Callable[..., Flask], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise OperationalError("UPDATE", {}, Exception("disk full"))

    shop: Shop = make_app(ml_auto_train=True).extensions["shop"]
    monkeypatch.setattr(training, "activate", fail)
    row = train(shop)
    assert (row.status, row.reason) == (RunStatus.ERROR, "Falha interna; o motivo está no log do servidor.")
    shop.trainings.start_if_needed()
    latest = shop.trainings.latest()
    assert latest is not None
    assert latest.id == row.id


def test_the_log_has_the_reason_that_the_public_does_not_get(
    client: FlaskClient,
    shop: Shop,
    trainer_is: Callable[[str], None],
    log_lines: Callable[[], list[dict[str, Any]]],
) -> None:
    trainer_is("echo memoria esgotada >&2; exit 7")
    train(shop)
    [line] = [line for line in log_lines() if line["message"] == "trainer_failed"]
    assert (line["version"], line["reason"]) == (1, "memoria esgotada\n")
    assert "memoria" not in client.get(f"{ML}/status").text


def test_a_trainer_that_is_not_there_is_an_error_without_its_path(
    client: FlaskClient, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(training_run, "TRAINER", ("/srv/nowhere/python", "-m", "ml"))
    assert train(shop).status == RunStatus.ERROR
    assert status_of(client)["motivo"] == "Falha interna; o motivo está no log do servidor."


def test_a_folder_that_cannot_be_made_is_an_error_without_its_path(client: FlaskClient, shop: Shop) -> None:
    (shop.settings.data_dir / "modelos").write_text("no folder")
    assert train(shop).status == RunStatus.ERROR
    assert status_of(client)["motivo"] == "Falha interna; o motivo está no log do servidor."
    assert served_version(client) == "0"


@pytest.mark.usefixtures("quick_training", "six_books")
def test_a_model_that_cannot_be_written_is_not_served(
    client: FlaskClient, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    train(shop)

    def fail(*_arguments: object) -> None:
        raise OSError(28, "No space left on device", "/srv/segredo")

    with monkeypatch.context() as full_disk:
        full_disk.setattr("app.storage.model_files.replace_file", fail)
        assert train(shop).status == RunStatus.ERROR
    assert "segredo" not in client.get(f"{ML}/status").text
    assert served_version(client) == "1"


def test_a_training_that_takes_too_long_is_ended_and_leaves_no_process(
    make_app: Callable[..., Flask], trainer_is: Callable[[str], None], tmp_path: Path
) -> None:
    app = make_app(ml_training_timeout_s=1)
    shop: Shop = app.extensions["shop"]
    trainer_is(f'echo $$ > "{tmp_path / "pid"}"; {HANG}')
    train(shop)
    status = status_of(app.test_client())
    assert status["status"] == "error"
    assert "passou do limite" in status["motivo"]
    assert not is_running(pid_in(tmp_path / "pid"))
    assert models_folder(shop) == set()


@pytest.mark.usefixtures("quick_training", "six_books")
def test_stopping_in_mid_training_interrupts_it_and_leaves_no_process(
    client: FlaskClient,
    as_operator: dict[str, str],
    shop: Shop,
    trainer_is: Callable[[str], None],
    tmp_path: Path,
) -> None:
    train(shop)
    trainer_is(f'echo $$ > "{tmp_path / "pid"}"; {HANG}')
    client.post(f"{ML}/train", headers=as_operator)
    pid = pid_in(tmp_path / "pid")
    assert is_running(pid)
    shop.trainings.stop()
    assert not is_running(pid)
    row = training_of(shop, 2)
    assert (row.status, row.reason) == (RunStatus.INTERRUPTED, STOPPED)
    assert row.ended_at is not None
    assert (status_of(client)["status"], status_of(client)["motivo"]) == ("error", STOPPED)
    assert served_version(client) == "1"
    assert models_folder(shop) == {"modelo-000001.joblib", "modelo-000001.json"}


def test_a_training_that_begins_after_the_stop_trains_nothing(
    shop: Shop, trainer_is: Callable[[str], None], tmp_path: Path
) -> None:
    trainer_is(f'echo $$ > "{tmp_path / "pid"}"; {HANG}')
    shop.trainings.stop()
    assert train(shop).status == RunStatus.INTERRUPTED
    assert not (tmp_path / "pid").exists() or not is_running(pid_in(tmp_path / "pid"))


def test_the_trainer_gets_none_of_the_shops_secrets(
    shop: Shop, trainer_is: Callable[[str], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JWT_SECRET_KEY", "a secret")
    monkeypatch.setenv("LD_LIBRARY_PATH", "/opt/python/lib")  # some Pythons start with it only
    monkeypatch.delenv("TMPDIR", raising=False)
    trainer_is(f'env > "{tmp_path / "env"}"')
    train(shop)
    names = {line.partition("=")[0] for line in (tmp_path / "env").read_text().splitlines()}
    assert names - {"PWD", "OLDPWD", "SHLVL", "_"} == {"PATH", "PYTHONUTF8", "LD_LIBRARY_PATH"}


@pytest.mark.usefixtures("six_books")
def test_the_trainer_reads_what_the_training_data_are(
    client: FlaskClient, shop: Shop, trainer_is: Callable[[str], None], tmp_path: Path
) -> None:
    trainer_is(f'cp "$DATA" "{tmp_path / "livros.json"}"')
    train(shop)
    sent = client.application.json.loads((tmp_path / "livros.json").read_text())
    assert sent == client.get(f"{ML}/training-data").get_json()


@pytest.mark.usefixtures("quick_training", "six_books")
def test_what_a_killed_training_left_is_cleared_away(shop: Shop) -> None:
    left = shop.settings.data_dir / "modelos" / ".treino-dead"
    left.mkdir(parents=True)
    (left / "livros.json").touch()
    train(shop)
    assert models_folder(shop) == {"modelo-000001.joblib", "modelo-000001.json"}


def test_a_training_of_another_process_is_409_here_too(
    make_app: Callable[..., Flask], client: FlaskClient, as_admin: dict[str, str], shop: Shop
) -> None:
    version = train_elsewhere(shop, "another.machine:1:0")
    for each in (client, make_app().test_client()):
        assert f"(versão {version})" in problem_of(each.post(f"{ML}/train", headers=as_admin), 409)["detail"]
        assert status_of(each)["status"] == "processing"


@pytest.mark.parametrize("how", ["process gone", "lease expired"])
@pytest.mark.parametrize("who", ["status", "train"])
@pytest.mark.usefixtures("quick_training", "six_books")
def test_a_training_whose_process_died_is_found_out_and_another_may_start(
    client: FlaskClient, as_admin: dict[str, str], shop: Shop, how: str, who: str
) -> None:
    if how == "process gone":
        dead = train_elsewhere(shop, own_identity() + "x")
    else:
        dead = train_elsewhere(shop, "another.machine:1:0", age=LEASE_TTL + timedelta(seconds=1))
    if who == "status":
        status = status_of(client)
        assert (status["status"], status["versao"]) == ("error", dead)
        assert "morreu no meio do treino" in status["motivo"]
    assert client.post(f"{ML}/train", headers=as_admin).status_code == 202
    join_runs()
    assert training_of(shop, dead).status == RunStatus.INTERRUPTED
    assert training_of(shop, dead).ended_at is not None
    assert status_of(client)["status"] == "done"
    assert served_version(client) == str(dead + 1)


@pytest.mark.usefixtures("quick_training", "six_books")
def test_a_training_that_was_taken_for_dead_publishes_nothing(
    client: FlaskClient,
    as_admin: dict[str, str],
    shop: Shop,
    quick_training: str,
    trainer_is: Callable[[str], None],
    tmp_path: Path,
) -> None:
    go, started = tmp_path / "go", tmp_path / "started"
    trainer_is(f'touch "{started}"; while [ ! -e "{go}" ]; do sleep 0.02; done; {quick_training}')
    client.post(f"{ML}/train", headers=as_admin)
    eventually(started.exists)
    with shop.database.writing() as session:
        training.RUNS.close(session, 1, RunStatus.INTERRUPTED, None, datetime.now(UTC))
    go.touch()
    join_runs()
    assert training_of(shop, 1).status == RunStatus.INTERRUPTED
    assert versions_of(client, as_admin) == []
    assert served_version(client) == "0"
    problem_of(client.get(f"{ML}/model"), 404)


def test_two_that_ask_at_once_start_one_training(
    make_app: Callable[..., Flask], shop: Shop, as_admin: dict[str, str], trainer_is: Callable[[str], None]
) -> None:
    trainer_is(HANG)
    apps = [make_app() for _ in range(4)]
    with ThreadPoolExecutor(len(apps)) as pool:
        answers = pool.map(
            lambda app: app.test_client().post(f"{ML}/train", headers=as_admin).status_code, apps
        )
        assert sorted(answers) == [202, 409, 409, 409]


def test_an_input_is_still_answered_while_a_training_runs(
    client: FlaskClient, as_admin: dict[str, str], trainer_is: Callable[[str], None]
) -> None:
    trainer_is(HANG)
    client.post(f"{ML}/train", headers=as_admin)
    assert client.post(f"{ML}/predictions", json=[ROW]).status_code == 200
