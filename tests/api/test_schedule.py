"""`/api/v1/scraping/schedule`."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.core.schedule import Cron
from app.shop import Shop
from app.start import prepare
from app.storage.database import Database
from demo.site.server import DemoSite
from tests.support.checks import problem_of
from tests.support.exposition import read_samples, value
from tests.support.runs import join_runs
from tests.support.scraping_client import ScrapingClient

SCHEDULE = "/api/v1/scraping/schedule"
NONE = {
    "agenda": None,
    "fuso": "UTC",
    "jitter_s": 0,
    "ativa": True,
    "proxima_execucao": None,
    "ultima_execucao": None,
    "origem": "ambiente",
}
NIGHTLY = {"agenda": "0 3 * * *", "fuso": "America/Sao_Paulo", "jitter_s": 300}
Put = Callable[..., dict[str, Any]]


@pytest.fixture
def put(client: FlaskClient, as_operator: dict[str, str]) -> Put:
    def set_schedule(**body: Any) -> dict[str, Any]:
        response = client.put(SCHEDULE, json=body, headers=as_operator)
        assert response.status_code == 200, response.get_data(as_text=True)
        shown: dict[str, Any] = response.get_json()
        return shown

    return set_schedule


@pytest.fixture
def problems(client: FlaskClient, as_operator: dict[str, str]) -> Callable[..., dict[str, str]]:
    """The problems of a body, by field."""

    def send(**body: Any) -> dict[str, str]:
        response = client.put(SCHEDULE, json=body, headers=as_operator)
        return {problem["field"]: problem["message"] for problem in problem_of(response, 400)["errors"]}

    return send


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def test_a_shop_without_a_schedule_says_so(client: FlaskClient) -> None:
    assert client.get(SCHEDULE).get_json() == NONE
    assert "proxima_execucao" not in client.get("/api/v1/scraping/status").get_json()


def test_an_operator_sets_the_schedule_and_every_client_sees_when_it_runs(
    client: FlaskClient, put: Put
) -> None:
    shown = put(**NIGHTLY)
    assert {name: shown[name] for name in NIGHTLY} == NIGHTLY
    assert (shown["ativa"], shown["origem"], shown["ultima_execucao"]) == (True, "operador", None)
    late = moment(shown["proxima_execucao"]) - timedelta(hours=6)  # 3 in São Paulo is 6 in UTC
    assert (late.hour, late.minute // 5) == (0, 0)
    assert timedelta() < moment(shown["proxima_execucao"]) - datetime.now(UTC) < timedelta(days=1, minutes=5)
    assert client.get(SCHEDULE).get_json() == shown
    status = client.get("/api/v1/scraping/status").get_json()
    assert status == {"status": "never", "proxima_execucao": shown["proxima_execucao"]}


def test_what_is_not_sent_stays_and_an_expression_is_kept_in_its_plain_form(put: Put) -> None:
    put(**NIGHTLY)
    shown = put(agenda="  30  4 * *   sun ")
    assert (shown["agenda"], shown["fuso"], shown["jitter_s"]) == ("30 4 * * sun", "America/Sao_Paulo", 300)
    assert put(fuso="Europe/Lisbon")["agenda"] == "30 4 * * sun"
    assert put() == put(jitter_s=300)


def test_a_paused_schedule_has_no_next_run_until_it_is_resumed(client: FlaskClient, put: Put) -> None:
    planned = put(**NIGHTLY)["proxima_execucao"]
    paused = put(ativa=False)
    assert (paused["ativa"], paused["proxima_execucao"], paused["agenda"]) == (False, None, "0 3 * * *")
    assert "proxima_execucao" not in client.get("/api/v1/scraping/status").get_json()
    assert put(ativa=True)["proxima_execucao"] == planned


def test_the_environments_schedule_holds_until_an_operator_sets_one_and_again_when_it_is_cleared(
    make_app: Callable[..., Flask],
) -> None:
    environment = {"scraper_schedule": Cron("0 5 * * *", "UTC"), "scraper_jitter_s": 60}
    app = make_app(**environment)
    prepare(app)
    client = ScrapingClient(app)
    assert client.get(SCHEDULE)["agenda"] == "0 5 * * *"
    client.http.put(SCHEDULE, json={"agenda": None}, headers=client.header)
    prepare(make_app(**environment))  # as the next start does
    assert client.get(SCHEDULE) == NONE | {"jitter_s": 60, "origem": "operador"}
    cleared = client.http.delete(SCHEDULE, headers=client.header).get_json()
    assert (cleared["agenda"], cleared["jitter_s"], cleared["origem"]) == ("0 5 * * *", 60, "ambiente")
    assert client.get(SCHEDULE) == cleared


@pytest.mark.parametrize(
    ("name", "sent", "message"),
    [
        ("agenda", "61 3 * * *", "tem um campo inválido: minuto"),
        ("agenda", "0 3 * 13 *", "tem um campo inválido: mês"),
        ("agenda", "0 3 30 2 *", "nunca acontece: esses meses não têm esse dia"),
        ("agenda", "0 3 * *  ", "deve ter cinco campos"),
        ("agenda", "CRON_TZ=UTC 0 3 * * *", "deve ter cinco campos"),
        ("agenda", "0," * 60 + "0 3 * * *", "tem mais de 100 caracteres"),
        ("agenda", 3, "deve ser um texto"),
        ("fuso", "America/Nenhures", "não é um fuso conhecido"),
        ("fuso", "../UTC", "não é um fuso conhecido"),
        ("fuso", None, "não pode ser nulo"),
        ("jitter_s", -1, "deve ser um inteiro de 0 a 86400"),
        ("jitter_s", 86_401, "deve ser um inteiro de 0 a 86400"),
        ("jitter_s", "60", "deve ser um número inteiro"),
        ("ativa", "sim", "deve ser true ou false"),
        ("ativa", 1, "deve ser true ou false"),
        ("ativo", True, "não é conhecido; você quis dizer `ativa`?"),
    ],
)
def test_each_fault_is_named(
    client: FlaskClient, problems: Callable[..., dict[str, str]], name: str, sent: object, message: str
) -> None:
    found = problems(**{name: sent})
    assert list(found) == [name]
    assert found[name].startswith(message)
    assert client.get(SCHEDULE).get_json() == NONE


def test_a_zone_needs_a_schedule(problems: Callable[..., dict[str, str]], put: Put) -> None:
    put(**NIGHTLY)
    assert problems(agenda=None, fuso="UTC") == {"fuso": "só vale com uma agenda"}


def test_a_due_run_scrapes_the_shop_and_shows_in_history_and_metrics(
    make_app: Callable[..., Flask], open_site: Callable[..., DemoSite], monkeypatch: pytest.MonkeyPatch
) -> None:
    client = ScrapingClient(make_app(scraper_base_url=open_site().base_url))
    shop: Shop = client.shop
    client.http.put(SCHEDULE, json={"agenda": "* * * * *"}, headers=client.header)
    planned = read_samples(client.http.get("/metrics").text)
    due = value(planned, "livraria_schedule_next_run_timestamp_seconds")
    assert value(planned, "livraria_schedule_last_run_timestamp_seconds") == 0
    now = Database.now
    monkeypatch.setattr(Database, "now", lambda self, session: now(self, session) + timedelta(minutes=1))
    shop.schedule.run_due()
    join_runs("scrape-")
    [run] = client.get("/api/v1/scraping/runs")
    assert (run["status"], run["iniciada_por"], run["livros_lidos"]) == ("done", "agenda", 100)
    assert client.get(SCHEDULE)["ultima_execucao"] == run["iniciada_em"]
    after = read_samples(client.http.get("/metrics").text)
    assert value(after, "livraria_schedule_runs_total", outcome="on_time") == 1
    assert value(after, "livraria_schedule_next_run_timestamp_seconds") > due
    assert value(after, "livraria_schedule_last_run_timestamp_seconds") >= due


def test_no_user_may_have_the_schedules_name(client: FlaskClient, as_admin: dict[str, str]) -> None:
    user = {"username": "Agenda", "password": "12345"}
    problem_of(client.post("/api/v1/auth/newuser", json=user, headers=as_admin), 400)
