"""`flask import`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask

from app.processes import own_identity
from app.storage.scraping import RUNS
from tests.support.catalogue_csv import as_csv, seed_rows
from tests.support.commands import run
from tests.support.imports import ImportClient


@pytest.fixture
def file(tmp_path: Path) -> Path:
    file = tmp_path / "livros novos.csv"
    file.write_bytes(as_csv(seed_rows(100)))
    return file


def test_it_replaces_the_catalogue_and_says_what_changed(make_app: Callable[..., Flask], file: Path) -> None:
    app = make_app()
    code, told = run(app, "import", file)
    assert code == 0, told
    assert "Linhas aceitas: 100; recusadas: 0." in told
    assert "O que mudou: adicionados 100, removidos 1000, reprecificados 0" in told
    assert "Versão do catálogo: 2." in told
    running = ImportClient(make_app())
    assert len(running.get("/api/v1/books")) == 100
    (entry,) = running.get("/api/v1/scraping/runs")
    assert (entry["url_base"], entry["iniciada_por"]) == ("importação: livros novos.csv", "flask import")
    assert (running.shop.settings.data_dir / "livros.csv").read_bytes().count(b"\r\n") == 101


def test_a_rehearsal_changes_nothing(app: Flask, file: Path) -> None:
    code, told = run(app, "import", file, "--ensaio")
    assert code == 0, told
    assert "O que mudaria: adicionados 100" in told
    assert "Versão do catálogo: 1, como antes do ensaio." in told
    assert ImportClient(app).get("/health")["origem"] == "demonstracao"


def test_every_faulty_row_is_named_and_nothing_changes(app: Flask, file: Path) -> None:
    file.write_bytes(file.read_bytes().replace(b"https://shop.invalid/7.jpg", b"7.jpg"))
    code, told = run(app, "import", file)
    assert code == 1
    assert "linha 9, coluna url_imagem: deve ser um endereço" in told
    assert "1 de 100 linhas têm falhas" in told
    assert ImportClient(app).get("/health")["origem"] == "demonstracao"
    rehearsed, told = run(app, "import", file, "--ensaio")
    assert (rehearsed, "Seria recusado: 1 de 100 linhas" in told) == (1, True)
    code, told = run(app, "import", file, "--parcial")
    assert (code, "Linhas aceitas: 99; recusadas: 1." in told) == (0, True)


def test_what_the_gate_refuses_exits_1(app: Flask, file: Path) -> None:
    assert run(app, "import", file)[0] == 0
    file.write_bytes(as_csv(seed_rows(50)))
    code, told = run(app, "import", file)
    assert (code, "50 de 100 livros sumiram" in told) == (1, True)


@pytest.mark.parametrize("data", [b"", b"nome,preco\nx,1\n", as_csv([])])
def test_what_is_no_catalogue_exits_2(app: Flask, file: Path, data: bytes) -> None:
    file.write_bytes(data)
    code, told = run(app, "import", file)
    assert (code, "Traceback" in told) == (2, False)
    assert told.strip()


def test_a_file_that_is_not_there_or_too_large_exits_2(make_app: Callable[..., Flask], file: Path) -> None:
    app = make_app(import_max_bytes=1_024)
    assert run(app, "import", file.parent / "nenhum.csv")[0] == 2
    code, told = run(app, "import", file)
    assert (code, "IMPORT_MAX_BYTES" in told) == (2, True)


def test_while_the_shop_scrapes_it_exits_2(app: Flask, file: Path) -> None:
    client = ImportClient(app)
    with client.shop.database.writing() as session:
        now = client.shop.database.now(session)
        RUNS.begin(session, "admin", own_identity(), now, base_url="https://shop.invalid/")
    code, told = run(app, "import", file)
    assert (code, "em andamento" in told) == (2, True)
