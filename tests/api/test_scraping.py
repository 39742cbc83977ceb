from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.processes import own_identity
from app.shop import Shop
from app.storage import scraping
from app.storage.runs import LEASE_TTL
from tests.conftest import ADMIN
from tests.support.checks import problem_of
from tests.support.runs import join_runs

SCRAPING = "/api/v1/scraping"
ONE_ATTEMPT = {"scraper_max_attempts": 1, "scraper_base_url": "http://127.0.0.1:9/"}


@pytest.fixture
def app(make_app: Callable[..., Flask]) -> Flask:
    """A shop whose scrapes end at once, since nothing listens at their address."""
    return make_app(**ONE_ATTEMPT)


def start_elsewhere(shop: Shop, holder: str | None = None, age: timedelta = timedelta()) -> int:
    """Add a run that another process began `age` ago, or a hung one of this process; return its id."""
    now = datetime.now(UTC) - age
    with shop.database.writing() as session:
        url = shop.settings.scraper_base_url
        run, _ = scraping.begin_run(session, url, "admin", holder or own_identity(), now, now)
    return run.id


def status_of(client: FlaskClient) -> dict[str, Any]:
    status: dict[str, Any] = client.get(f"{SCRAPING}/status").get_json()
    return status


def test_a_shop_that_never_scraped_says_so(client: FlaskClient, as_admin: dict[str, str], shop: Shop) -> None:
    assert status_of(client) == {"status": "never"}
    assert (shop.settings.data_dir / "scraping_status.txt").read_text() == "never"
    runs = client.get(f"{SCRAPING}/runs", headers=as_admin)
    assert (runs.get_json(), runs.headers["X-Total-Count"]) == ([], "0")
    problem_of(client.post(f"{SCRAPING}/cancel", headers=as_admin), 409)


def test_a_trigger_answers_at_once_and_a_site_that_is_down_ends_in_error(
    client: FlaskClient, as_operator: dict[str, str], shop: Shop
) -> None:
    before = client.get("/api/v1/books/0").headers["ETag"]
    response = client.post(f"{SCRAPING}/trigger", headers=as_operator)
    assert response.status_code == 202
    assert response.get_json()["message"] == "Scraping iniciado em background. Consulte o status depois."
    assert response.get_json()["status"] == "processing"
    assert response.headers["Location"] == f"{SCRAPING}/status"
    join_runs()
    status = status_of(client)
    assert (status["status"], status["execucao"]) == ("error", 1)
    assert status["motivo"].startswith("O site não pôde ser lido")
    assert (shop.settings.data_dir / "scraping_status.txt").read_text() == "error"
    assert client.get("/api/v1/books/0").headers["ETag"] == before
    assert client.get("/health").get_json()["scraping"] == "error"


def test_an_ended_run_is_remembered_with_who_began_it(
    client: FlaskClient, as_operator: dict[str, str], shop: Shop
) -> None:
    for _ in range(2):
        client.post(f"{SCRAPING}/trigger", headers=as_operator)
        join_runs()
    runs = client.get(f"{SCRAPING}/runs?per_page=1", headers=as_operator)
    assert runs.headers["X-Total-Count"] == "2"
    assert [(run["id"], run["status"], run["iniciada_por"]) for run in runs.get_json()] == [
        (2, "error", "operadora")
    ]
    detail = client.get(f"{SCRAPING}/runs/1", headers=as_operator).get_json()
    assert (detail["id"], detail["diferenca"], detail["versao_publicada"]) == (1, None, None)
    assert detail["duracao_s"] >= 0


def test_a_second_trigger_is_409_while_one_runs(
    client: FlaskClient, as_admin: dict[str, str], shop: Shop
) -> None:
    run_id = start_elsewhere(shop)
    response = client.post(f"{SCRAPING}/trigger", headers=as_admin)
    assert f"execução {run_id}" in problem_of(response, 409)["detail"]
    assert status_of(client)["status"] == "processing"


def test_a_run_of_another_process_can_be_cancelled(
    client: FlaskClient, as_operator: dict[str, str], shop: Shop
) -> None:
    run_id = start_elsewhere(shop, "another.machine:1:0")
    assert client.post(f"{SCRAPING}/cancel", headers=as_operator).status_code == 202
    run = client.get(f"{SCRAPING}/runs/{run_id}", headers=as_operator).get_json()
    assert run["cancelada_por"] == "operadora"


@pytest.mark.parametrize("how", ["process gone", "lease expired"])
def test_a_run_whose_process_died_is_found_out_and_another_may_start(
    client: FlaskClient, as_admin: dict[str, str], shop: Shop, how: str
) -> None:
    if how == "process gone":
        start_elsewhere(shop, own_identity() + "x")
    else:
        start_elsewhere(shop, "another.machine:1:0", age=LEASE_TTL + timedelta(seconds=1))
    assert status_of(client)["status"] == "error"
    run = client.get(f"{SCRAPING}/runs/1", headers=as_admin).get_json()
    assert run["status"] == "interrupted"
    assert "morreu" in run["motivo"]
    assert client.post(f"{SCRAPING}/trigger", headers=as_admin).status_code == 202
    join_runs()


def test_two_processes_that_trigger_at_once_start_one_run(
    make_app: Callable[..., Flask], app: Flask, client: FlaskClient, as_admin: dict[str, str], shop: Shop
) -> None:
    run_id = start_elsewhere(shop)
    other = make_app(**ONE_ATTEMPT).test_client()
    problem_of(other.post(f"{SCRAPING}/trigger", headers=as_admin), 409)
    assert status_of(other)["execucao"] == run_id


@pytest.mark.parametrize("run_id", ["1", "9223372036854775807", "99999999999999999999999"])
def test_a_run_that_is_not_there_is_404(reader: FlaskClient, as_reader: dict[str, str], run_id: str) -> None:
    problem_of(reader.get(f"{SCRAPING}/runs/{run_id}", headers=as_reader), 404)


def test_a_status_file_that_cannot_be_written_locks_no_one_out(
    client: FlaskClient, as_admin: dict[str, str], shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_arguments: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as full_disk:
        full_disk.setattr(Path, "replace", fail)
        first = client.post(f"{SCRAPING}/trigger", headers=as_admin)
    assert first.status_code in (202, 500)
    if first.status_code == 202:
        join_runs()
    assert status_of(client)["status"] == "error"
    assert client.post(f"{SCRAPING}/trigger", headers=as_admin).status_code == 202
    join_runs()


def test_the_public_status_has_no_user_names(
    client: FlaskClient, as_admin: dict[str, str], shop: Shop
) -> None:
    start_elsewhere(shop)
    assert ADMIN["username"] not in client.get(f"{SCRAPING}/status").text
