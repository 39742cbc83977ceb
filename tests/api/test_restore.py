"""`flask restore`."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import flask_migrate
import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.shop import Shop
from tests.conftest import close
from tests.support.commands import run
from tests.support.databases import ON_POSTGRESQL, Databases
from tests.support.orders import get_orders, place_order, stock_of


@pytest.fixture
def restored_to(app: Flask, shop: Shop, databases: Databases, tmp_path: Path) -> Iterator[str]:
    """The URL to restore to: the stopped shop's file, or a new PostgreSQL database."""
    if not ON_POSTGRESQL:
        yield shop.settings.database_url
        return
    url = databases.create(tmp_path)
    yield url
    databases.drop(url)


@pytest.fixture
def restore(
    app: Flask, make_app: Callable[..., Flask], restored_to: str
) -> Callable[[Path], tuple[int, str]]:
    """Return a function that stops the shop, restores a file, and returns the exit code and what was said."""

    def restore(file: Path) -> tuple[int, str]:
        close(app)
        return run(make_app(database_url=restored_to), "restore", file)

    return restore


@pytest.fixture
def reopened(make_app: Callable[..., Flask], restored_to: str) -> Callable[[], FlaskClient]:
    """Return a function that opens the shop that was restored."""
    return lambda: make_app(database_url=restored_to).test_client()


def databases_in(folder: Path) -> set[str]:
    """Return the databases beside the shop's own, and what was left behind."""
    return {path.name for path in folder.iterdir() if "livraria" in path.name} - {"livraria.db"}


def test_the_shop_comes_back_as_it_was(
    client: FlaskClient,
    backup: Path,
    restore: Callable[[Path], tuple[int, str]],
    reopened: Callable[[], FlaskClient],
) -> None:
    before = get_orders(client)
    place_order(client, (0, 3))
    code, told = restore(backup)
    assert code == 0, told
    again = reopened()
    assert get_orders(again) == before
    assert stock_of(again, 0) == 20
    place_order(again, (0, 1))
    assert run(again.application, "audit")[0] == 0


def test_what_a_client_was_shown_before_is_not_taken_for_what_the_restored_shop_shows(
    client: FlaskClient,
    backup: Path,
    restore: Callable[[Path], tuple[int, str]],
    reopened: Callable[[], FlaskClient],
) -> None:
    place_order(client, (0, 3))
    shown = client.get("/api/v1/books").headers["ETag"]
    assert restore(backup)[0] == 0
    again = reopened()
    place_order(again, (1, 1))
    assert again.get("/api/v1/books", headers={"If-None-Match": shown}).status_code == 200


@pytest.mark.sqlite_only("PostgreSQL restores into a new database, and keeps the old one")
def test_the_old_database_stays_beside_the_restored_one(
    client: FlaskClient, shop: Shop, backup: Path, restore: Callable[[Path], tuple[int, str]]
) -> None:
    place_order(client, (0, 3))
    told = restore(backup)[1]
    [old] = [name for name in databases_in(shop.settings.data_dir) if name.startswith("livraria-antes-de-2")]
    assert told == f"Restaurado; o banco anterior ficou em {shop.settings.data_dir / old}.\n"
    with sqlite3.connect(shop.settings.data_dir / old) as connection:
        assert connection.execute("SELECT count(*) FROM pedido").fetchone() == (2,)
    connection.close()


def test_a_backup_that_contradicts_itself_is_not_restored(
    app: Flask,
    client: FlaskClient,
    backup: Path,
    restore: Callable[[Path], tuple[int, str]],
) -> None:
    with sqlite3.connect(backup) as connection:
        connection.execute("UPDATE livros SET disponibilidade = 99 WHERE id = 0")
    connection.close()
    code, told = restore(backup)
    assert code == 2
    assert "livro 0: estoque 99" in told
    assert stock_of(client, 0) == 20


def test_orders_that_waited_for_their_payment_are_no_contradiction_later(
    client: FlaskClient, shop: Shop, backup: Path, restore: Callable[[Path], tuple[int, str]]
) -> None:
    with sqlite3.connect(backup) as connection:
        connection.execute(
            "UPDATE pedido SET status = 'awaiting_payment', pagamento_status = 'pending', criado_em = ?",
            [str(datetime.now(UTC).replace(tzinfo=None) - timedelta(days=9))],
        )
        connection.execute("DELETE FROM pedido_historico WHERE para = 'pending'")
    connection.close()
    assert restore(backup)[0] == 0


@pytest.mark.parametrize("damage", ["no database", "a torn page", "another program's"])
def test_a_file_that_is_no_sound_backup_changes_nothing(
    client: FlaskClient,
    shop: Shop,
    backup: Path,
    restore: Callable[[Path], tuple[int, str]],
    damage: str,
) -> None:
    if damage == "no database":
        backup.write_bytes(b"x" * 10_000)
    elif damage == "a torn page":
        content = bytearray(backup.read_bytes())
        content[len(content) // 3 : len(content) // 3 * 2] = b"\xff" * (len(content) // 3)
        backup.write_bytes(content)
    else:
        backup.unlink()
        sqlite3.connect(backup).execute("CREATE TABLE notes (id INTEGER)").connection.close()
    code, told = restore(backup)
    assert code == 2
    assert told.count("\n") <= 21
    assert "Traceback" not in told
    assert len(get_orders(client)) == 1
    assert databases_in(shop.settings.data_dir) | databases_in(backup.parent) <= {
        "livraria.db-wal",
        "livraria.db-shm",
    }


def test_a_backup_that_does_not_exist_is_a_sentence(
    restore: Callable[[Path], tuple[int, str]], tmp_path: Path
) -> None:
    assert restore(tmp_path / "none.db") == (2, f"{tmp_path}/none.db não existe.\n")


@pytest.mark.sqlite_only("it makes a backup of an older release, which is a SQLite file")
def test_a_backup_of_an_older_release_is_brought_up_to_date(
    app: Flask, backup: Path, make_app: Callable[..., Flask], restore: Callable[[Path], tuple[int, str]]
) -> None:
    older = make_app(database_url=f"sqlite:///{backup}")
    with older.app_context():
        flask_migrate.downgrade(revision="0003")
    close(older)
    code, told = restore(backup)
    assert code == 0, told


@pytest.mark.parametrize("revision", ["9999", None])
def test_a_backup_of_a_newer_release_is_refused(
    backup: Path, restore: Callable[[Path], tuple[int, str]], revision: str | None
) -> None:
    with sqlite3.connect(backup) as connection:
        connection.execute("DELETE FROM alembic_version")
        if revision:
            connection.execute("INSERT INTO alembic_version VALUES (?)", [revision])
    connection.close()
    code, told = restore(backup)
    assert (code, told) == (2, "O arquivo não é um backup desta loja, ou é de uma versão mais nova.\n")


def test_a_shop_that_runs_is_not_restored(app: Flask, client: FlaskClient, backup: Path) -> None:
    place_order(client, (0, 3))
    code, told = run(app, "restore", backup)
    assert code == 2
    assert told in (
        "A loja está em execução: pare todos os seus processos antes de restaurar.\n",
        "O destino não está vazio: crie um banco de dados novo para a cópia.\n",
    )
    assert len(get_orders(client)) == 2


@pytest.mark.sqlite_only("it is about a database file")
def test_a_broken_database_gives_way_to_its_backup(
    shop: Shop,
    backup: Path,
    restore: Callable[[Path], tuple[int, str]],
    reopened: Callable[[], FlaskClient],
    app: Flask,
) -> None:
    close(app)
    (shop.settings.data_dir / "livraria.db").write_bytes(b"\xff" * 100_000)
    (shop.settings.data_dir / "livraria.db-wal").write_bytes(b"\xff" * 100_000)
    code, told = restore(backup)
    assert code == 0, told
    assert len(get_orders(reopened())) == 1
    assert any(
        name.endswith(".db-wal") and "antes-de" in name for name in databases_in(shop.settings.data_dir)
    )
