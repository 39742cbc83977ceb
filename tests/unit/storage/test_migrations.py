from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from threading import Barrier

import flask_migrate
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from flask import Flask
from sqlalchemy import MetaData, bindparam, func, inspect, select, text, update

import operating_system
from app.core.errors import FieldProblem, OutOfStock, PaymentDenied
from app.factory import create_app
from app.secret import with_own_secret
from app.settings import Settings
from app.start import prepare
from app.storage import scraping
from app.storage.catalogue import load_publication
from app.storage.columns import Base, UtcTime
from app.storage.database import Database
from app.storage.idempotency import IdempotencyKey, claim_key
from app.storage.models import (
    ActiveModelRow,
    BookHistoryRow,
    BookRow,
    CatalogueRow,
    IdempotencyRow,
    MovementRow,
    OrderRow,
    PublicationRow,
    ScrapeLockRow,
    StagedPageRow,
    StatusChangeRow,
    TrainingRow,
    UserRow,
)
from app.storage.scraping import RUNS
from app.storage.stock import Reason, record_movements
from app.web.presenters.orders import present_order
from app.web.presenters.scraping import present_run_detail
from tests.support.databases import Databases
from tests.support.shop import make_settings

TABLES = {
    "livros",
    "catalogo",
    "publicacao",
    "livro_historico",
    "livro_texto_anterior",
    "usuario",
    "sessao",
    "scraping_execucao",
    "scraping_pagina",
    "scraping_trava",
    "scraping_agenda",
    "scraping_agenda_execucao",
    "pedido",
    "pedido_item",
    "pedido_historico",
    "estoque_movimento",
    "idempotencia",
    "pagamento_simulado",
    "simulacao",
    "modelo_treino",
    "modelo_em_uso",
}


@pytest.fixture
def make_empty(tmp_path: Path, databases: Databases) -> Iterator[Callable[[], Flask]]:
    """Applications on one empty database: on SQLite, a file that does not exist yet."""
    apps: list[Flask] = []
    url = databases.create(tmp_path)

    def make() -> Flask:
        app = create_app(make_settings(tmp_path, database_url=url))
        apps.append(app)
        return app

    yield make
    for app in apps:
        database_of(app).engine.dispose()
    databases.drop(url)


def database_of(app: Flask) -> Database:
    database: Database = app.extensions["shop"].database
    return database


def counts(app: Flask) -> list[int | None]:
    with database_of(app).reading() as session:
        return [
            session.scalar(select(func.count()).select_from(row))
            for row in (BookRow, CatalogueRow, UserRow, ScrapeLockRow)
        ]


def test_building_an_application_does_not_touch_the_database(
    make_empty: Callable[[], Flask], tmp_path: Path
) -> None:
    make_empty()
    assert list(tmp_path.iterdir()) == []


def test_an_empty_file_becomes_a_shop_ready_to_serve(make_empty: Callable[[], Flask], tmp_path: Path) -> None:
    app = make_empty()
    prepare(app)
    assert counts(app) == [1000, 1, 1, 1]
    assert set(inspect(database_of(app).engine).get_table_names()) == {*TABLES, "alembic_version"}
    assert (tmp_path / "livros.csv").exists()
    assert (tmp_path / "scraping_status.txt").read_text() == "never"


def test_preparing_again_changes_nothing(make_empty: Callable[[], Flask], tmp_path: Path) -> None:
    app = make_empty()
    prepare(app)
    before = counts(app), (tmp_path / "livros.csv").stat().st_mtime_ns
    prepare(app)
    prepare(make_empty())
    assert (counts(app), (tmp_path / "livros.csv").stat().st_mtime_ns) == before


def test_many_may_prepare_one_empty_file_at_once(make_empty: Callable[[], Flask]) -> None:
    apps = [make_empty() for _ in range(4)]
    with ThreadPoolExecutor(len(apps)) as pool:
        for done in [pool.submit(prepare, app) for app in apps]:
            done.result(60)
    assert counts(apps[0]) == [1000, 1, 1, 1]


def test_the_migrations_make_the_tables_that_the_code_has(app: Flask) -> None:
    with database_of(app).engine.connect() as connection:
        context = MigrationContext.configure(
            connection, opts={"compare_type": True, "compare_server_default": True}
        )
        assert compare_metadata(context, Base.metadata) == []


def test_the_tables_of_the_models_come_and_go_and_the_shop_stays(make_empty: Callable[[], Flask]) -> None:
    app = make_empty()
    prepare(app)
    before = counts(app)
    models = {"modelo_treino", "modelo_em_uso", "publicacao", "livro_historico", "livro_texto_anterior"}
    models |= {"scraping_agenda", "scraping_agenda_execucao"}
    with app.app_context():
        flask_migrate.downgrade(revision="0002")
    assert set(inspect(database_of(app).engine).get_table_names()) == {*TABLES, "alembic_version"} - models
    assert counts(app) == before
    with app.app_context():
        flask_migrate.upgrade()
    assert set(inspect(database_of(app).engine).get_table_names()) == {*TABLES, "alembic_version"}
    assert counts(app) == before
    with database_of(app).reading() as session:
        in_use = session.get_one(ActiveModelRow, 1)
        assert (in_use.version, in_use.chosen_by, in_use.chosen_at) == (None, None, None)


def test_a_shop_of_the_second_version_gets_its_models_and_keeps_its_books(
    make_empty: Callable[[], Flask],
) -> None:
    app = make_empty()
    prepare(app)
    with app.app_context():
        flask_migrate.downgrade(revision="0002")
    before = counts(app)
    prepare(make_empty())  # as the first start of the new version does
    assert counts(app) == before
    with database_of(app).reading() as session:
        assert session.scalars(select(ActiveModelRow.version)).all() == [None]


def test_a_model_of_an_older_release_is_kept_without_findings_in_texts(
    make_empty: Callable[[], Flask],
) -> None:
    app = make_empty()
    prepare(app)
    now = datetime.now(UTC)
    times = {"started_at": now, "expires_at": now, "holder": "x", "started_by": "admin"}
    with database_of(app).writing() as session:
        model = TrainingRow(status="done", catalogue_version=1, artefact=b"model", digest="d", **times)
        model.texts, model.texts_digest = b"texts", "t"
        session.add(model)
        session.flush()
        session.get_one(ActiveModelRow, 1).version = model.id
    with app.app_context():
        flask_migrate.downgrade(revision="0009")
        flask_migrate.upgrade()
    with database_of(app).reading() as session:
        kept = session.get_one(TrainingRow, model.id)
        assert (kept.artefact, kept.digest) == (b"model", "d")
        assert (kept.texts, kept.texts_digest) == (None, None)
        assert session.scalar(select(ActiveModelRow.version)) == model.id


def test_keys_of_an_older_release_are_replayed_after_the_upgrade(make_empty: Callable[[], Flask]) -> None:
    app = make_empty()
    prepare(app)
    with app.app_context():
        flask_migrate.downgrade(revision="0003")
    item = {"product_id": 7, "name": "Ação", "quantity": 2, "price_unit": 51.77}
    placed = {"order_id": "ORDER-A", "customer_id": "c", "items": [item], "total_amount": 103.54}
    placed |= {"status": "pending", "payment_status": "approved", "notes": None, "version": 2}
    placed |= {"created_at": "2026-11-22T10:00:00.123Z", "last_updated_at": "2026-11-22T10:00:01.000Z"}
    problem = {"field": "items[0].quantity", "message": "pedidos 2 do produto 7, disponíveis 1"}
    responses = {
        "sold": {"status": 201, "body": placed},
        "short": {"status": 409, "body": {"errors": [problem], "error_type": "insufficient_stock"}},
        "denied": {"status": 402, "body": {}},
    }
    now = datetime.now(UTC)
    with database_of(app).writing() as session:
        for key, response in responses.items():
            session.add(IdempotencyRow(key=key, body_digest="d", response=response, created_at=now))
    with app.app_context():
        flask_migrate.upgrade()
    with database_of(app).writing() as session:
        sold, short, denied = (claim_key(session, IdempotencyKey(key, "d"), now) for key in responses)
    assert sold is not None
    assert sold.order is not None
    assert present_order(sold.order) == placed
    assert short is not None
    assert isinstance(short.refusal, OutOfStock)
    assert short.refusal.problems == [FieldProblem(problem["field"], problem["message"])]
    assert denied is not None
    assert isinstance(denied.refusal, PaymentDenied)


def test_scrapes_of_an_older_release_keep_their_lease_their_pages_and_their_report(
    make_empty: Callable[[], Flask],
) -> None:
    app = make_empty()
    prepare(app)
    with app.app_context():
        flask_migrate.downgrade(revision="0004")
    report = {
        "adicionados": [{"id": 8, "titulo": "Ação", "preco_com_taxa": 51.77, "disponibilidade": 3}],
        "removidos": [{"id": 7, "titulo": "B", "preco_com_taxa": 0.29, "disponibilidade": 0}],
        "reprecificados": [
            {
                "id": 6,
                "titulo": "C",
                "preco_com_taxa": {"antes": 10.0, "depois": 11.01},
                "preco_sem_taxa": {"antes": 9.5, "depois": 9.5},
            }
        ],
        "reestocados": [{"id": 5, "titulo": "D", "disponibilidade": {"antes": 0, "depois": 2}}],
        "editados": [{"id": 4, "titulo": "E"}],
    }
    expires_at = datetime(2026, 1, 1, 0, 0, 30, tzinfo=UTC)
    counts = {kind: len(books) for kind, books in report.items()}
    columns = "id, status, url_base, iniciada_por, iniciada_em, contagem, diferenca, falhas, paginas_total, "
    columns += "paginas_feitas, paginas_com_falha, paginas_reaproveitadas, livros_lidos"
    with database_of(app).writing() as session:
        for run_id, status in ((1, "done"), (2, "processing")):
            values = {"id": run_id, "status": status, "contagem": counts, "diferenca": report}
            values["falhas"] = [{"url": "http://x/1", "motivo": "HTTP 500"}]
            session.execute(
                text(
                    f"INSERT INTO scraping_execucao ({columns}) VALUES (:id, :status, 'http://x/', 'admin', "
                    "'2026-01-01 00:00:00', :contagem, :diferenca, :falhas, 0, 0, 0, 0, 0)"
                ),
                {
                    key: value if key in ("id", "status") else json.dumps(value)
                    for key, value in values.items()
                },
            )
        session.execute(
            text("UPDATE scraping_trava SET execucao_id=2, dono='m:1:x', expira_em=:at").bindparams(
                bindparam("at", expires_at, UtcTime)
            )
        )
        session.execute(text("INSERT INTO scraping_pagina (execucao_id, url, livro) VALUES (2, 'u', '{}')"))
    with app.app_context():
        flask_migrate.upgrade()
    with database_of(app).reading() as session:
        done, running = scraping.load_detail(session, 1), RUNS.get(session, 2)
        assert session.scalars(select(StagedPageRow.run_id)).all() == [2]
    assert done is not None
    assert running is not None
    assert (running.holder, running.expires_at) == ("m:1:x", expires_at)
    assert done.run.holder is None
    shown = present_run_detail(done)
    assert (shown["diferenca"], shown["contagem"]) == (report, counts)
    assert shown["falhas"] == [{"url": "http://x/1", "motivo": "HTTP 500"}]
    with app.app_context():
        flask_migrate.downgrade(revision="0004")
    with database_of(app).reading() as session:
        lease = text("SELECT execucao_id, dono, expira_em FROM scraping_trava").columns(expira_em=UtcTime)
        assert session.execute(lease).one() == (2, "m:1:x", expires_at)
        assert session.execute(text("SELECT count(*) FROM scraping_pagina")).scalar() == 1


def test_staged_pages_of_an_older_release_are_as_old_as_the_first_run_of_their_chain(
    make_empty: Callable[[], Flask],
) -> None:
    app = make_empty()
    prepare(app)
    with app.app_context():
        flask_migrate.downgrade(revision="0005")
    columns = "id, retomada_de, iniciada_em, motivo, status, url_base, iniciada_por, paginas_total, paginas_feitas, "
    columns += "paginas_com_falha, paginas_reaproveitadas, livros_lidos"
    with database_of(app).writing() as session:
        for run_id, resumed_from, hour in ((1, None, 1), (2, 1, 2), (3, 2, 3), (4, None, 4)):
            session.execute(
                text(
                    f"INSERT INTO scraping_execucao ({columns}) VALUES (:id, :resumed, :began, "
                    "'HTTP 404 (http://bob:s@x/a@b)', 'error', 'http://bob:s3cret@x/', 'admin', 0, 0, 0, 0, 0)"
                ).bindparams(bindparam("began", datetime(2026, 1, 1, hour, tzinfo=UTC), UtcTime)),
                {"id": run_id, "resumed": resumed_from},
            )
        for run_id in (3, 4):
            session.execute(
                text("INSERT INTO scraping_pagina (execucao_id, url, livro) VALUES (:id, 'u', '{}')"),
                {"id": run_id},
            )
        failures = json.dumps([{"url": "http://bob:s3cret@x/é@b", "motivo": "HTTP 404 (http://bob@x/)"}])
        session.execute(
            text("UPDATE scraping_execucao SET falhas = :falhas WHERE id = 4"), {"falhas": failures}
        )
        session.execute(text("UPDATE catalogo SET fonte = 'http://bob:s3cret@x/'"))
        session.execute(text("UPDATE livros SET url_imagem = 'https://bob@x:8/a?b@c' WHERE id = 5 OR id = 6"))
    with app.app_context():
        flask_migrate.upgrade()
    with database_of(app).reading() as session:
        staged = session.execute(
            select(StagedPageRow.run_id, StagedPageRow.read_at).order_by(StagedPageRow.run_id)
        )
        assert [(run_id, read_at.hour) for run_id, read_at in staged] == [(3, 1), (4, 4)]
        run, detail = RUNS.get(session, 4), scraping.load_detail(session, 4)
        publication = load_publication(session)
        image_url = session.scalar(select(BookRow.image_url).where(BookRow.id == 6))
    assert run is not None
    assert (run.base_url, run.reason) == ("http://x/", "HTTP 404 (http://x/a@b)")
    assert detail is not None
    assert detail.failures == {"http://x/é@b": "HTTP 404 (http://x/)"}
    assert publication is not None
    assert (publication.source_url, image_url) == ("http://x/", "https://x:8/a?b@c")


def test_the_migrations_make_the_checks_that_the_code_has(app: Flask) -> None:
    # Alembic compares no check constraints.
    inspector = inspect(database_of(app).engine)
    for name, table in Base.metadata.tables.items():
        ours = {str(c.name) for c in table.constraints if type(c).__name__ == "CheckConstraint"}
        assert {check["name"] for check in inspector.get_check_constraints(name)} == ours


def test_every_constraint_and_index_in_the_database_has_a_name(app: Flask) -> None:
    reflected = MetaData()
    reflected.reflect(database_of(app).engine, only=sorted(TABLES))
    unnamed = [
        f"{table.name}: {type(part).__name__}"
        for table in reflected.tables.values()
        for part in [*table.constraints, *table.indexes]
        if not getattr(part, "name", None)
    ]
    assert unnamed == []


def test_the_seeds_columns_are_there(app: Flask) -> None:
    inspector = inspect(database_of(app).engine)
    assert {column["name"] for column in inspector.get_columns("livros")} >= {
        "id",
        "titulo",
        "preco_sem_taxa",
        "preco_com_taxa",
        "disponibilidade",
        "categoria",
        "classificacao_em_estrelas",
        "url_imagem",
    }
    assert {column["name"] for column in inspector.get_columns("usuario")} >= {"id", "username", "password"}


def test_the_password_column_holds_a_salted_hash(app: Flask) -> None:
    with database_of(app).reading() as session:
        assert session.scalars(select(UserRow.password_hash)).one().startswith("$argon2id$")


def test_a_secret_is_made_once_and_kept_from_others(tmp_path: Path) -> None:
    settings = make_settings(tmp_path, jwt_secret_key="")
    first = with_own_secret(settings).jwt_secret_key
    assert len(first) >= 32
    assert with_own_secret(settings).jwt_secret_key == first
    assert (tmp_path / ".jwt_secret").stat().st_mode & 0o777 == 0o600


def test_a_secret_that_was_given_is_used_and_not_written(tmp_path: Path) -> None:
    assert with_own_secret(make_settings(tmp_path, jwt_secret_key="x" * 32)).jwt_secret_key == "x" * 32
    assert list(tmp_path.iterdir()) == []


def test_a_secret_file_that_is_still_empty_is_never_a_secret(tmp_path: Path) -> None:
    # As another process that is just writing it shows it, or one that died before it wrote.
    (tmp_path / ".jwt_secret").touch()
    assert len(with_own_secret(make_settings(tmp_path, jwt_secret_key="")).jwt_secret_key) >= 32


@pytest.mark.skipif(not operating_system.HAS_LOCKS, reason="needs locks between processes")
def test_servers_that_start_at_once_agree_on_one_secret(tmp_path: Path) -> None:
    for number in range(20):
        settings = make_settings(tmp_path / str(number), jwt_secret_key="")
        starts = Barrier(4)

        def start(settings: Settings = settings, starts: Barrier = starts) -> str:
            starts.wait(10)
            return with_own_secret(settings).jwt_secret_key

        with ThreadPoolExecutor(4) as pool:
            secrets = {done.result(10) for done in [pool.submit(start) for _ in range(4)]}
        assert len(secrets) == 1


def test_an_older_release_finds_a_history_without_edits(make_empty: Callable[[], Flask]) -> None:
    app = make_empty()
    prepare(app)
    now = datetime.now(UTC)
    money = {"payment_status": "approved", "total": 1, "created_at": now, "updated_at": now}
    with database_of(app).writing() as session:
        session.add(OrderRow(id="ORDER-A", customer_id="c", status="pending", version=3, owner="x", **money))
        session.flush()
        for before, fields in ((None, None), ("pending", ["notes"])):
            session.add(
                StatusChangeRow(
                    order_id="ORDER-A", before=before, after="pending", at=now, by="x", fields=fields
                )
            )
    with app.app_context():
        flask_migrate.downgrade(revision="0005")
        flask_migrate.upgrade()
    with database_of(app).reading() as session:
        steps = session.execute(select(StatusChangeRow.before, StatusChangeRow.fields)).all()
    assert [tuple(step) for step in steps] == [(None, None)]


def test_the_present_catalogue_of_an_older_shop_is_the_first_that_it_remembers(
    make_empty: Callable[[], Flask],
) -> None:
    app = make_empty()
    prepare(app)
    with app.app_context():
        flask_migrate.downgrade(revision="0008")
    with database_of(app).writing() as session:
        published = {row.id: row.stock for row in session.execute(select(BookRow.id, BookRow.stock))}
        for book_id, copies in ((0, 2), (1, 1), (0, -1)):  # sold, sold, given back
            session.execute(update(BookRow).where(BookRow.id == book_id).values(stock=BookRow.stock - copies))
            record_movements(session, {book_id: -copies}, Reason.RESERVED, datetime.now(UTC))
        session.execute(update(BookRow).where(BookRow.id == 5).values(listed=False))
    with app.app_context():
        flask_migrate.upgrade()
    with database_of(app).reading() as session:
        publication = session.get_one(PublicationRow, 1)
        present = load_publication(session)
        last_of_it = session.scalar(
            select(func.max(MovementRow.id)).where(MovementRow.reason == Reason.BUNDLED)
        )
        rows = session.scalars(select(BookHistoryRow)).all()
        prices = {
            row.id: row.price_incl_tax for row in session.execute(select(BookRow.id, BookRow.price_incl_tax))
        }
        sold = session.scalar(select(BookRow.stock).where(BookRow.id == 0))
    assert present is not None
    assert (publication.published_at, publication.origin, publication.source_url, publication.last_movement) == (
        present.published_at, present.origin, present.source_url, last_of_it,
    )  # fmt: skip
    assert {row.book_id: row.stock for row in rows} == published
    assert {row.book_id: row.price_incl_tax for row in rows} == prices
    assert sold == published[0] - 1
    assert [row.book_id for row in rows if not row.listed] == [5]
    assert {(row.version, row.changes) for row in rows} == {(1, 0)}


def test_an_older_shop_without_a_catalogue_remembers_none(make_empty: Callable[[], Flask]) -> None:
    app = make_empty()
    with app.app_context():
        flask_migrate.upgrade(revision="0008")
        flask_migrate.upgrade()
    with database_of(app).reading() as session:
        assert session.scalar(select(func.count()).select_from(PublicationRow)) == 0
        assert session.scalar(select(func.count()).select_from(BookHistoryRow)) == 0
