"""Versions of the model: listed, gone back to, shared by processes, damaged and lost."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.exc import OperationalError

from app.core.runs import RunStatus
from app.services.model_store import ModelStore
from app.shop import Shop
from app.storage.model_files import artefact_path
from app.storage.models import ActiveModelRow
from ml.drift import MIN_SEEN
from tests.support.checks import problem_of
from tests.support.exposition import read_samples, value
from tests.support.training import (
    ML,
    ROW,
    damage_model,
    served_version,
    status_of,
    train,
    train_elsewhere,
    versions_of,
)


@pytest.mark.usefixtures("quick_training", "six_books")
def test_the_newest_training_serves_until_an_operator_goes_back(
    client: FlaskClient,
    as_operator: dict[str, str],
    shop: Shop,
    log_lines: Callable[[], list[dict[str, Any]]],
) -> None:
    for _ in range(3):
        train(shop)
    assert versions_of(client, as_operator) == [(3, True), (2, False), (1, False)]
    response = client.post(f"{ML}/models/1/activate", headers=as_operator)
    assert response.status_code == 200
    assert (response.get_json()["versao"], response.get_json()["em_uso"]) == (1, True)
    assert response.get_json()["treinado_por"] == "admin"
    assert served_version(client) == "1"
    assert client.get(f"{ML}/model").get_json()["versao"] == 1
    assert versions_of(client, as_operator) == [(3, False), (2, False), (1, True)]
    with shop.database.reading() as session:
        assert session.get_one(ActiveModelRow, 1).chosen_by == "operadora"
    [line] = [line for line in log_lines() if line["message"] == "model_chosen"]
    assert (line["version"], line["username"]) == (1, "operadora")
    train(shop)
    assert served_version(client) == "4"


@pytest.mark.usefixtures("quick_training", "six_books")
def test_choosing_the_model_in_use_changes_nothing(
    client: FlaskClient, as_operator: dict[str, str], shop: Shop
) -> None:
    train(shop)
    for _ in range(2):
        assert client.post(f"{ML}/models/1/activate", headers=as_operator).status_code == 200
    assert versions_of(client, as_operator) == [(1, True)]


@pytest.mark.usefixtures("quick_training", "six_books")
def test_models_are_listed_by_page(client: FlaskClient, as_operator: dict[str, str], shop: Shop) -> None:
    for _ in range(3):
        train(shop)
    page = client.get(f"{ML}/models?page=2&per_page=2", headers=as_operator)
    assert ([model["versao"] for model in page.get_json()], page.headers["X-Total-Count"]) == ([1], "3")
    assert 'rel="prev"' in page.headers["Link"]
    assert versions_of(client, as_operator, "?page=9") == []
    problem_of(client.get(f"{ML}/models?page=0", headers=as_operator), 400)


@pytest.mark.parametrize(
    "version", ["0", "1", "3", "2147483647", "2147483648", "9223372036854775808", "9" * 400]
)
def test_a_version_that_is_not_there_is_404(
    reader: FlaskClient, as_reader: dict[str, str], version: str
) -> None:
    problem = problem_of(reader.post(f"{ML}/models/{version}/activate", headers=as_reader), 404)
    assert problem["detail"] == "Versão de modelo não encontrada."


@pytest.mark.parametrize("version", ["-1", "1.0", "um", "%31%00"])
def test_what_is_no_version_is_no_address(
    reader: FlaskClient, as_reader: dict[str, str], version: str
) -> None:
    problem_of(reader.post(f"{ML}/models/{version}/activate", headers=as_reader), 404)


@pytest.mark.parametrize("status", [RunStatus.PROCESSING, RunStatus.ERROR, RunStatus.INTERRUPTED])
def test_a_training_that_left_no_model_cannot_be_chosen(
    client: FlaskClient, as_operator: dict[str, str], shop: Shop, status: RunStatus
) -> None:
    version = train_elsewhere(shop, status=status)
    problem_of(client.post(f"{ML}/models/{version}/activate", headers=as_operator), 404)
    assert versions_of(client, as_operator) == []
    assert served_version(client) == "0"


@pytest.mark.usefixtures("quick_training", "six_books")
def test_other_processes_serve_what_was_trained_or_chosen_here(
    make_app: Callable[..., Flask], client: FlaskClient, as_operator: dict[str, str], shop: Shop
) -> None:
    other = make_app(check_every_s=-1).test_client()
    assert served_version(other) == "0"
    for version in ("1", "2"):
        train(shop)
        assert served_version(other) == version
    client.post(f"{ML}/models/1/activate", headers=as_operator)
    assert served_version(other) == "1"
    assert other.get(f"{ML}/model").get_json()["versao"] == 1


@pytest.mark.parametrize("damage", ["one byte", "gone", "empty", "a folder"])
@pytest.mark.usefixtures("quick_training", "six_books")
def test_a_file_that_is_damaged_stale_or_missing_comes_back_from_the_database(
    make_app: Callable[..., Flask],
    shop: Shop,
    damage: str,
    log_lines: Callable[[], list[dict[str, Any]]],
) -> None:
    train(shop)
    path = artefact_path(shop.settings.data_dir, 1)
    content = path.read_bytes()
    path.unlink()
    if damage == "a folder":
        path.mkdir()
    elif damage != "gone":
        path.write_bytes(b"" if damage == "empty" else bytes([content[0] ^ 1]) + content[1:])
    other = make_app().test_client()
    answer = other.post(f"{ML}/predictions", json=[ROW])
    card = other.get(f"{ML}/model").get_json()
    assert (answer.headers["X-Model-Version"], card["problema"]) == ("1", None)
    if damage != "a folder":
        assert path.read_bytes() == content
    said = "model_file_missing" if damage in ("gone", "a folder") else "model_file_stale"
    assert said in [line["message"] for line in log_lines()]


@pytest.mark.usefixtures("quick_training", "six_books")
def test_a_model_that_is_damaged_in_the_database_too_is_refused_by_name(
    make_app: Callable[..., Flask], shop: Shop
) -> None:
    train(shop)
    damage_model(shop)
    other = make_app().test_client()
    answer = other.post(f"{ML}/predictions", json=[ROW])
    assert answer.get_json()[0]["prediction"] == 1
    card = other.get(f"{ML}/model").get_json()
    assert answer.headers["X-Model-Verdict"] == card["servindo"] == "artefato-recusado"
    assert (answer.headers["X-Model-Version"], card["versao"]) == ("0", 1)
    assert "SHA-256" in card["problema"]
    assert str(shop.settings.data_dir) not in str(card)


@pytest.mark.parametrize("damage", ["tampered with", "gone"])
@pytest.mark.usefixtures("quick_training", "six_books")
def test_an_operator_goes_back_only_to_a_model_that_can_be_used(
    client: FlaskClient, as_operator: dict[str, str], shop: Shop, damage: str
) -> None:
    train(shop)
    train(shop)
    if damage == "gone":
        artefact_path(shop.settings.data_dir, 1).unlink()
        assert client.post(f"{ML}/models/1/activate", headers=as_operator).status_code == 200
        assert served_version(client) == "1"
    else:
        damage_model(shop)
        response = client.post(f"{ML}/models/1/activate", headers=as_operator)
        assert "SHA-256" in problem_of(response, 409)["detail"]
        assert versions_of(client, as_operator) == [(2, True), (1, False)]
        assert served_version(client) == "2"


@pytest.mark.usefixtures("quick_training", "six_books")
def test_choosing_a_refused_model_again_serves_it_once_its_file_is_back(
    make_app: Callable[..., Flask], shop: Shop
) -> None:
    train(shop)
    content = artefact_path(shop.settings.data_dir, 1).read_bytes()
    damage_model(shop)
    other: Shop = make_app().extensions["shop"]
    assert other.models.current().verdict == "artefato-recusado"
    artefact_path(shop.settings.data_dir, 1).write_bytes(content)
    other.trainings.activate(1, "operadora")
    assert (other.models.current().version, other.models.current().problem) == (1, None)


@pytest.mark.usefixtures("quick_training", "six_books")
def test_a_database_that_answers_again_is_asked_at_once(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> None:
        raise OperationalError("SELECT", {}, Exception("down"))

    train(shop)
    fresh = ModelStore(shop.settings.data_dir, shop.database, shop.catalogue, shop.metrics)
    with monkeypatch.context() as broken:
        broken.setattr(shop.database, "reading", fail)
        for _ in range(2):
            with pytest.raises(OperationalError):
                fresh.current()
    assert fresh.current().version == 1


@pytest.mark.usefixtures("quick_training", "six_books")
def test_the_drift_of_one_model_is_not_told_of_the_next(client: FlaskClient, shop: Shop) -> None:
    def drift() -> float:
        samples = read_samples(client.get("/metrics").text)
        return value(samples, "livraria_prediction_drift_psi", feature="preco_com_taxa")

    train(shop)
    client.post(f"{ML}/predictions", json=[{**ROW, "preco_com_taxa": 900}] * MIN_SEEN)
    assert drift() > 1
    train(shop)
    client.post(f"{ML}/predictions", json=[ROW])
    assert drift() == 0


@pytest.mark.usefixtures("quick_training", "six_books")
def test_who_is_told_that_a_training_is_done_is_answered_by_its_model(
    make_app: Callable[..., Flask], shop: Shop
) -> None:
    other = make_app(check_every_s=math.inf).test_client()
    assert served_version(other) == "0"
    train(shop)
    assert status_of(other)["status"] == "done"
    assert served_version(other) == "1"
