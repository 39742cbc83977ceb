"""`flask backup`."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import text

from app.services import copy_database
from app.shop import Shop
from tests.support.commands import run
from tests.support.orders import execute


def test_a_backup_is_one_file_that_only_its_owner_reads(backup: Path) -> None:
    assert backup.stat().st_mode & 0o777 == 0o600
    assert not list(backup.parent.glob(".livraria-*"))
    with sqlite3.connect(f"file:{backup}?mode=ro&immutable=1", uri=True) as connection:
        assert connection.execute("SELECT count(*) FROM pedido").fetchone() == (1,)
    connection.close()


def test_a_file_that_exists_is_never_overwritten(app: Flask, backup: Path) -> None:
    before = backup.read_bytes()
    assert run(app, "backup", backup) == (2, f"{backup} já existe: escolha outro nome.\n")
    assert backup.read_bytes() == before


@pytest.mark.postgresql_only("SQLite's own copy of a file is not compared row by row")
def test_a_backup_that_differs_is_shown_and_not_kept(
    app: Flask, six_books: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loss = text("DELETE FROM estoque_movimento WHERE livro_id = 1")
    monkeypatch.setattr(copy_database, "reset_sequences", lambda connection: connection.execute(loss))
    code, told = run(app, "backup", tmp_path / "b.db")
    assert code == 1
    assert told.endswith("A cópia difere, e foi desfeita: o destino está vazio.\n")
    assert not (tmp_path / "b.db").exists()


def test_a_folder_that_does_not_exist_is_a_sentence(app: Flask, six_books: None, tmp_path: Path) -> None:
    code, told = run(app, "backup", tmp_path / "nowhere" / "b.db")
    assert code == 2
    assert told.startswith("Não foi possível: ")


def test_a_shop_that_contradicts_itself_is_backed_up_and_told(
    app: Flask, shop: Shop, six_books: None, tmp_path: Path
) -> None:
    execute(shop, "UPDATE livros SET disponibilidade = 99 WHERE id = 0")
    code, told = run(app, "backup", tmp_path / "b.db")
    assert code == 1
    assert "livro 0: estoque 99, mas os movimentos somam 22" in told
    assert (tmp_path / "b.db").exists()
