"""The catalogue from a file: what is accepted, what is refused, and what it leaves."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from app.core.scraping import IMPORT_SOURCE
from app.processes import own_identity
from app.services import import_run
from app.storage.scraping import RUNS, cancel_run
from tests.support.catalogue_csv import FAULTS, as_csv, scraper_csv, seed_rows
from tests.support.checks import problem_of
from tests.support.imports import MANY, ImportClient


def test_1000_rows_with_every_kind_of_fault_name_each_faulty_row_and_change_nothing(
    stocked: ImportClient,
) -> None:
    before = stocked.everything()
    lines = as_csv(seed_rows(1_000)).splitlines()
    spoilt = {}
    for place in range(20, 980, 20):
        column, spoil = list(FAULTS.values())[place // 20 % len(FAULTS)]
        lines[place] = spoil(lines[place])
        spoilt[place] = column
    added = [line for line in range(1_001) if b"\nok" in lines[line]]
    expected = {(line + 1 + sum(one < line for one in added), column) for line, column in spoilt.items()}
    refused = stocked.refusal(stocked.send(b"\n".join(lines)), 422)
    named = {(fault["linha"], fault["coluna"]) for fault in refused["recusadas"]}
    assert len(FAULTS) >= 12
    assert len(expected) == 48
    assert expected <= named
    assert all(fault["motivo"] for fault in refused["recusadas"])
    assert refused["aceitas"] + len({line for line, _ in named}) <= 1_000
    assert refused["error_type"] == "import_refused"
    assert refused["errors"][0]["field"].startswith("linha 21")
    assert stocked.everything() == before
    assert len(stocked.get("/api/v1/scraping/runs")) == 1, "nothing was even begun"


def test_a_rehearsal_tells_the_difference_and_changes_nothing(stocked: ImportClient, tmp_path: Path) -> None:
    before = stocked.everything()
    file = scraper_csv(tmp_path, [replace(MANY[0], price_incl_tax=Decimal("12.00")), *MANY[2:]])
    rehearsed = stocked.load(file, "?ensaio=1")
    assert rehearsed.pop("impedimento") is None
    assert stocked.everything() == before
    assert len(stocked.get("/api/v1/scraping/runs")) == 1
    done = stocked.load(file)
    assert (rehearsed.pop("versao"), done.pop("versao")) == (2, 3)
    assert rehearsed == done
    assert [len(books) for books in done["diferenca"].values()] == [0, 1, 1, 0, 0]


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        (lambda rows: rows[:3], "livros sumiram da loja"),
        (lambda rows: [dict(rows[0], rating="9"), *rows[1:]], "1 de 100 linhas têm falhas"),
    ],
)
def test_a_rehearsal_tells_why_the_import_would_be_refused(
    client: ImportClient, rows: Callable[..., list[dict[str, str]]], reason: str
) -> None:
    client.load(as_csv(seed_rows(100)))
    assert reason in client.load(as_csv(rows(seed_rows(100))), "?ensaio=1")["impedimento"]


def test_the_safety_gate_refuses_with_its_sentence_and_nothing_changes(
    stocked: ImportClient, tmp_path: Path
) -> None:
    before = stocked.everything()
    refused = stocked.refusal(stocked.send(scraper_csv(tmp_path, MANY[:70])), 422)
    assert "30 de 100 livros sumiram da loja" in refused["detail"]
    assert "SCRAPER_MAX_VANISHED_SHARE" in refused["detail"]
    assert stocked.everything() == before
    run = stocked.get("/api/v1/scraping/runs")[0]
    assert (run["status"], run["motivo"]) == ("error", refused["detail"])


def test_a_partial_import_publishes_the_good_rows_and_takes_no_book_off_sale(client: ImportClient) -> None:
    rows = seed_rows(100)
    client.load(as_csv(rows))
    rows[0] |= {"preco_com_taxa": "15.00", "preco_sem_taxa": "15.00"}
    rows[1]["rating"] = "0"
    del rows[50]
    report = client.load(as_csv(rows), "?parcial=1")
    assert report["recusadas"] == [{"linha": 3, "coluna": "rating", "motivo": "deve ser um inteiro de 1 a 5"}]
    assert [len(books) for books in report["diferenca"].values()] == [0, 0, 1, 0, 0]
    assert {1, 50} <= {book["id"] for book in client.get("/api/v1/books")}
    run = client.get("/api/v1/scraping/runs/2")
    assert (run["paginas_com_falha"], run["livros_lidos"], run["paginas_total"]) == (1, 98, 99)
    assert run["falhas"] == [{"url": "linha 3", "motivo": "rating: deve ser um inteiro de 1 a 5"}]


def test_a_partial_import_of_too_many_faults_is_refused_by_the_gate(client: ImportClient) -> None:
    rows = [dict(row, rating="0") if place < 3 else row for place, row in enumerate(seed_rows(100))]
    refused = client.refusal(client.send(as_csv(rows), "?parcial=1"), 422)
    assert "3 de 100 livros não puderam ser lidos" in refused["detail"]
    assert len(refused["recusadas"]) == 3


def test_a_file_whose_rows_all_have_faults_is_no_catalogue(client: ImportClient) -> None:
    refused = client.refusal(
        client.send(as_csv([dict(row, rating="0") for row in seed_rows(5)]), "?parcial=1"), 400
    )
    assert [fault["linha"] for fault in refused["recusadas"]] == [2, 3, 4, 5, 6]


@pytest.mark.parametrize("data", [b"a,b\n1,2\n", b"\x89PNG\r\n\x1a\n", as_csv([]), b'{"livros": []}'])
def test_what_is_no_catalogue_is_400(client: ImportClient, data: bytes) -> None:
    before = client.everything()
    client.refusal(client.send(data), 400)
    assert client.everything() == before


def test_an_import_is_a_run_like_a_scrape(client: ImportClient) -> None:
    client.send(
        {"arquivo": (io.BytesIO(as_csv(seed_rows(3))), "pasta/meus\u202e livros.csv")}, content_type=None
    )
    (run,) = client.get("/api/v1/scraping/runs")
    assert run["url_base"] == "importação: meus livros.csv"
    assert (run["status"], run["iniciada_por"], run["versao_publicada"]) == ("done", "admin", 2)
    assert run["contagem"]["adicionados"] == 3
    assert client.get("/api/v1/scraping/status")["status"] == "done"
    data_dir = client.shop.settings.data_dir
    assert (data_dir / "scraping_status.txt").read_text() == "done"
    assert (data_dir / "livros.csv").read_bytes().count(b"\r\n") == 4
    health = client.get("/health")
    assert (health["origem"], health["fonte"], health["livros"]) == ("importacao", IMPORT_SOURCE, 3)
    assert b"Importado de um arquivo" in client.http.get("/", headers={"Accept": "text/html"}).data
    with client.shop.database.reading() as session:
        reasons = session.execute(text("SELECT DISTINCT motivo FROM estoque_movimento")).scalars().all()
    assert set(reasons) == {"demonstracao", "retirada", "contagem"}


def test_an_import_is_no_scrape_in_the_metrics(client: ImportClient) -> None:
    client.load(as_csv(seed_rows(3)))
    client.refusal(client.send(as_csv(seed_rows(1))), 422)
    metrics = client.http.get("/metrics").text
    assert 'livraria_scrape_runs_total{outcome="done"} 0.0' in metrics
    assert 'livraria_scrape_runs_total{outcome="error"} 0.0' in metrics
    assert "livraria_scrape_last_success_timestamp_seconds 0.0" in metrics
    assert "livraria_scrape_duration_seconds 0.0" in metrics


def test_a_training_follows_an_import(client: ImportClient, monkeypatch: pytest.MonkeyPatch) -> None:
    trained: list[int] = []
    monkeypatch.setattr(
        client.shop.scrapes,
        "_on_published",
        lambda: trained.append(client.shop.catalogue.current().publication.version),
    )
    client.load(as_csv(seed_rows(3)))
    assert trained == [2]


def test_another_process_serves_an_import_at_once(make_app: Callable[..., Flask]) -> None:
    here, there = ImportClient(make_app()), ImportClient(make_app(check_every_s=0))
    here.load(as_csv(seed_rows(3)))
    assert len(there.get("/api/v1/books")) == 3


def test_while_another_process_scrapes_an_import_is_409_and_its_rehearsal_is_not(
    client: ImportClient,
) -> None:
    with client.shop.database.writing() as session:
        now = client.shop.database.now(session)
        RUNS.begin(session, "admin", own_identity(), now, base_url="https://shop.invalid/")
    assert "em andamento" in problem_of(client.send(as_csv(seed_rows(3))), 409)["detail"]
    assert client.load(as_csv(seed_rows(3)), "?ensaio=1")["aceitas"] == 3


def test_an_import_that_is_cancelled_in_time_is_409_and_changes_nothing(
    client: ImportClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = client.everything()
    read = import_run.read_as_crawl

    def cancel_and_read(*arguments: object) -> object:
        assert b"livraria_scrape_running 0.0" in client.shop.metrics.render()
        with client.shop.database.writing() as session:
            assert cancel_run(session, "admin") is not None
        return read(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(import_run, "read_as_crawl", cancel_and_read)
    problem_of(client.send(as_csv(seed_rows(3))), 409)
    assert client.everything() == before
    run = client.get("/api/v1/scraping/runs")[0]
    assert (run["status"], run["cancelada_por"]) == ("cancelled", "admin")


@pytest.mark.parametrize(
    ("error", "status"),
    [(OperationalError("COMMIT", {}, Exception("disk full")), 503), (ZeroDivisionError(), 500)],
)
def test_an_import_that_breaks_off_says_so_and_leaves_the_next_one_free(
    client: ImportClient, monkeypatch: pytest.MonkeyPatch, error: Exception, status: int
) -> None:
    before = client.everything()

    def break_off(*_: object) -> None:
        raise error

    with monkeypatch.context() as broken:
        broken.setattr(import_run, "publish_crawl", break_off)
        problem_of(client.send(as_csv(seed_rows(3))), status)
    assert client.everything() == before
    client.load(as_csv(seed_rows(3)))
