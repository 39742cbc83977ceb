"""The tables. Tables and columns have the seeds' Portuguese names, attributes English ones."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, LargeBinary, String, Text, false, text
from sqlalchemy.orm import Mapped, mapped_column

from app.storage.columns import Base, Money, UtcTime


class BookRow(Base):
    """A book that was ever on sale. Its id is never reused; `listed` tells whether it is on sale now.

    `stock` is what can be ordered: the supplier's count less what is reserved. Where that is negative, `short` is by
    how much, and released copies cover it first.
    """

    __tablename__ = "livros"
    __table_args__ = (
        CheckConstraint("disponibilidade >= 0", name="disponibilidade_nao_negativa"),
        CheckConstraint("em_falta >= 0", name="em_falta_nao_negativa"),
        CheckConstraint("classificacao_em_estrelas BETWEEN 1 AND 5", name="classificacao_de_1_a_5"),
        CheckConstraint("preco_sem_taxa >= 0 AND preco_com_taxa >= 0", name="precos_nao_negativos"),
    )

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    title: Mapped[str] = mapped_column("titulo", Text)
    price_excl_tax: Mapped[Decimal] = mapped_column("preco_sem_taxa", Money)
    price_incl_tax: Mapped[Decimal] = mapped_column("preco_com_taxa", Money)
    stock: Mapped[int] = mapped_column("disponibilidade")
    short: Mapped[int] = mapped_column("em_falta", server_default=text("0"))
    category: Mapped[str] = mapped_column("categoria", Text)
    rating: Mapped[int] = mapped_column("classificacao_em_estrelas")
    image_url: Mapped[str] = mapped_column("url_imagem", Text)
    description: Mapped[str] = mapped_column("descricao", Text)
    upc: Mapped[str] = mapped_column(Text, unique=True)
    source_url: Mapped[str] = mapped_column("url_produto", Text)
    listed: Mapped[bool] = mapped_column("listado")


class CatalogueRow(Base):
    """One row: the version of the catalogue in `livros`, which every process compares with its own.

    `stock_version` counts the changes of stock by orders.
    """

    __tablename__ = "catalogo"
    __table_args__ = (CheckConstraint("id = 1", name="uma_linha"),)

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    version: Mapped[int] = mapped_column("versao")
    stock_version: Mapped[int] = mapped_column("versao_estoque", server_default=text("0"))
    published_at: Mapped[datetime] = mapped_column("publicado_em", UtcTime)
    origin: Mapped[str] = mapped_column("origem", String(20))
    source_url: Mapped[str] = mapped_column("fonte", Text)


class PublicationRow(Base):
    """A version of the catalogue, past or present; `last_movement` is the newest in the ledger that its stocks have."""

    __tablename__ = "publicacao"

    version: Mapped[int] = mapped_column("versao", primary_key=True, autoincrement=False)
    published_at: Mapped[datetime] = mapped_column("publicado_em", UtcTime)
    origin: Mapped[str] = mapped_column("origem", String(20))
    source_url: Mapped[str] = mapped_column("fonte", Text)
    last_movement: Mapped[int] = mapped_column("ultimo_movimento")


class BookHistoryRow(Base):
    """A book as a publication left it, where that was different from the publication before.

    `changes` is a `BookChange`; 0 in what is known of a book from before its changes were recorded.
    """

    __tablename__ = "livro_historico"
    # Without a row id, a book's rows lie beside each other in SQLite, where a past catalogue looks for one of each.
    __table_args__ = (Index(None, "versao", "livro_id"), {"sqlite_with_rowid": False})

    book_id: Mapped[int] = mapped_column("livro_id", primary_key=True, autoincrement=False)
    version: Mapped[int] = mapped_column("versao", primary_key=True, autoincrement=False)
    price_excl_tax: Mapped[Decimal] = mapped_column("preco_sem_taxa", Money)
    price_incl_tax: Mapped[Decimal] = mapped_column("preco_com_taxa", Money)
    stock: Mapped[int] = mapped_column("disponibilidade")
    listed: Mapped[bool] = mapped_column("listado")
    changes: Mapped[int] = mapped_column("mudancas")


class PastTextRow(Base):
    """What a book was called and said up to a version: `livros` has what came after the last one."""

    __tablename__ = "livro_texto_anterior"

    book_id: Mapped[int] = mapped_column("livro_id", primary_key=True, autoincrement=False)
    last_version: Mapped[int] = mapped_column("ultima_versao", primary_key=True, autoincrement=False)
    title: Mapped[str] = mapped_column("titulo", Text)
    category: Mapped[str] = mapped_column("categoria", Text)
    rating: Mapped[int] = mapped_column("classificacao_em_estrelas")
    image_url: Mapped[str] = mapped_column("url_imagem", Text)
    description: Mapped[str] = mapped_column("descricao", Text)
    upc: Mapped[str] = mapped_column(Text)
    source_url: Mapped[str] = mapped_column("url_produto", Text)


class UserRow(Base):
    """A user. `username_key` is unique, and None where a user of an older release shares it with an older one."""

    __tablename__ = "usuario"
    __table_args__ = (Index(None, "nome_unico", unique=True),)

    id: Mapped[int] = mapped_column(primary_key=True)
    username: Mapped[str] = mapped_column(String(80), unique=True)
    password_hash: Mapped[str] = mapped_column("password", Text)
    role: Mapped[str] = mapped_column("papel", String(20))
    created_at: Mapped[datetime] = mapped_column("criado_em", UtcTime)
    username_key: Mapped[str | None] = mapped_column("nome_unico", Text)
    must_change_password: Mapped[bool] = mapped_column("deve_trocar_senha", server_default=false())
    disabled_at: Mapped[datetime | None] = mapped_column("desativado_em", UtcTime)


class LoginRow(Base):
    """One login: all its tokens end with this row."""

    __tablename__ = "sessao"
    __table_args__ = (Index(None, "usuario_id"), Index(None, "expira_em"))

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    user_id: Mapped[int] = mapped_column("usuario_id", ForeignKey("usuario.id", ondelete="CASCADE"))
    refresh_jti: Mapped[str] = mapped_column("refresh_jti", String(36))
    started_at: Mapped[datetime] = mapped_column("iniciada_em", UtcTime)
    expires_at: Mapped[datetime] = mapped_column("expira_em", UtcTime)


class ScrapeRunRow(Base):
    """One scrape, in progress or ended. Times are UTC; `holder` has the lease until `expires_at`."""

    __tablename__ = "scraping_execucao"

    id: Mapped[int] = mapped_column(primary_key=True)
    status: Mapped[str] = mapped_column(String(20))
    reason: Mapped[str | None] = mapped_column("motivo", Text)
    base_url: Mapped[str] = mapped_column("url_base", Text)
    started_by: Mapped[str] = mapped_column("iniciada_por", String(80))
    started_at: Mapped[datetime] = mapped_column("iniciada_em", UtcTime)
    ended_at: Mapped[datetime | None] = mapped_column("terminada_em", UtcTime)
    holder: Mapped[str | None] = mapped_column("dono", Text)
    expires_at: Mapped[datetime | None] = mapped_column("expira_em", UtcTime)
    resumed_from: Mapped[int | None] = mapped_column("retomada_de")
    cancelled_by: Mapped[str | None] = mapped_column("cancelada_por", String(80))
    pages_total: Mapped[int] = mapped_column("paginas_total", default=0)
    pages_done: Mapped[int] = mapped_column("paginas_feitas", default=0)
    pages_failed: Mapped[int] = mapped_column("paginas_com_falha", default=0)
    pages_reused: Mapped[int] = mapped_column("paginas_reaproveitadas", default=0)
    books_read: Mapped[int] = mapped_column("livros_lidos", default=0)
    published_version: Mapped[int | None] = mapped_column("versao_publicada")
    change_counts: Mapped[dict[str, int] | None] = mapped_column("contagem", JSON(none_as_null=True))
    difference: Mapped[dict[str, Any] | None] = mapped_column(
        "diferenca", JSON(none_as_null=True), deferred=True
    )
    failures: Mapped[list[dict[str, str]] | None] = mapped_column(
        "falhas", JSON(none_as_null=True), deferred=True
    )


class StagedPageRow(Base):
    """A product page that a run has read and not yet published."""

    __tablename__ = "scraping_pagina"

    run_id: Mapped[int] = mapped_column(
        "execucao_id", ForeignKey("scraping_execucao.id", ondelete="CASCADE"), primary_key=True
    )
    url: Mapped[str] = mapped_column(Text, primary_key=True)
    book: Mapped[dict[str, Any]] = mapped_column("livro", JSON)
    read_at: Mapped[datetime] = mapped_column("lida_em", UtcTime)


class ScrapeLockRow(Base):
    """One row, which is locked so that scrapes begin one at a time."""

    __tablename__ = "scraping_trava"
    __table_args__ = (CheckConstraint("id = 1", name="uma_linha"),)

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)


class ScheduleRow(Base):
    """One row: the schedule of scrapes, as the last start or an operator set it, and the next run."""

    __tablename__ = "scraping_agenda"
    __table_args__ = (CheckConstraint("id = 1", name="uma_linha"),)

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    expression: Mapped[str | None] = mapped_column("agenda", String(100))
    zone: Mapped[str] = mapped_column("fuso", String(60))
    jitter_s: Mapped[int] = mapped_column("jitter_s")
    active: Mapped[bool] = mapped_column("ativa")
    by_operator: Mapped[bool] = mapped_column("por_operador")
    seed: Mapped[str] = mapped_column("semente", String(32))
    planned_at: Mapped[datetime | None] = mapped_column("planejada_em", UtcTime)
    due_at: Mapped[datetime | None] = mapped_column("prevista_em", UtcTime)
    starts_at: Mapped[datetime | None] = mapped_column("inicia_em", UtcTime)


class ScheduledRunRow(Base):
    """A due time and the run that it began; there is never a second row for it."""

    __tablename__ = "scraping_agenda_execucao"

    due_at: Mapped[datetime] = mapped_column("prevista_em", UtcTime, primary_key=True)
    run_id: Mapped[int] = mapped_column("execucao_id")
    began_at: Mapped[datetime] = mapped_column("iniciada_em", UtcTime)
    attempts: Mapped[int] = mapped_column("tentativas")


class OrderRow(Base):
    """An order. `owner` is the process that carries out its payment, by which a crash is noticed."""

    __tablename__ = "pedido"
    __table_args__ = (
        Index(None, "status"),
        Index(None, "criado_em"),
        Index(None, "cliente"),
        Index(None, "pagamento_status"),
    )

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    customer_id: Mapped[str] = mapped_column("cliente", Text)
    status: Mapped[str] = mapped_column(String(20))
    payment_status: Mapped[str] = mapped_column("pagamento_status", String(20))
    total: Mapped[Decimal] = mapped_column(Money(15))
    notes: Mapped[str | None] = mapped_column("observacoes", Text)
    created_at: Mapped[datetime] = mapped_column("criado_em", UtcTime)
    updated_at: Mapped[datetime] = mapped_column("atualizado_em", UtcTime)
    version: Mapped[int] = mapped_column("versao")
    owner: Mapped[str] = mapped_column("dono", Text)


class OrderItemRow(Base):
    """A line of an order at the price paid.

    Without a foreign key to `livros`: the first scrape deletes the demonstration catalogue, ids included, and
    `in_catalogue` tells whether the book with this id is still the one that was sold.
    """

    __tablename__ = "pedido_item"
    __table_args__ = (CheckConstraint("quantidade > 0", name="quantidade_positiva"),)

    order_id: Mapped[str] = mapped_column("pedido_id", ForeignKey("pedido.id"), primary_key=True)
    book_id: Mapped[int] = mapped_column("livro_id", primary_key=True, autoincrement=False)
    name: Mapped[str] = mapped_column("nome", Text)
    quantity: Mapped[int] = mapped_column("quantidade")
    unit_price: Mapped[Decimal] = mapped_column("preco_unitario", Money)
    in_catalogue: Mapped[bool] = mapped_column("no_catalogo")


class StatusChangeRow(Base):
    """A step of an order's status, or an edit, which leads from a status to itself and names its `fields`."""

    __tablename__ = "pedido_historico"
    __table_args__ = (Index(None, "pedido_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    order_id: Mapped[str] = mapped_column("pedido_id", ForeignKey("pedido.id"))
    before: Mapped[str | None] = mapped_column("de", String(20))
    after: Mapped[str] = mapped_column("para", String(20))
    at: Mapped[datetime] = mapped_column("quando", UtcTime)
    by: Mapped[str] = mapped_column("por", String(80))
    fields: Mapped[list[str] | None] = mapped_column("campos", JSON(none_as_null=True))


class MovementRow(Base):
    """The ledger: every change of a book's stock. Rows are only added, and their sum is the stock."""

    __tablename__ = "estoque_movimento"
    __table_args__ = (
        CheckConstraint("quantidade <> 0", name="quantidade_nao_nula"),
        Index(None, "livro_id"),
        Index(None, "pedido_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    book_id: Mapped[int] = mapped_column("livro_id")
    quantity: Mapped[int] = mapped_column("quantidade")
    reason: Mapped[str] = mapped_column("motivo", String(20))
    order_id: Mapped[str | None] = mapped_column("pedido_id", ForeignKey("pedido.id"))
    at: Mapped[datetime] = mapped_column("quando", UtcTime)


class IdempotencyRow(Base):
    """A key that a client sent with an order, and what its request came to; no response means still in flight."""

    __tablename__ = "idempotencia"
    __table_args__ = (Index(None, "criada_em"),)

    key: Mapped[str] = mapped_column("chave", String(255), primary_key=True)
    body_digest: Mapped[str] = mapped_column("corpo_sha256", String(64))
    order_id: Mapped[str | None] = mapped_column("pedido_id", ForeignKey("pedido.id"), unique=True)
    response: Mapped[dict[str, Any] | None] = mapped_column("resposta", JSON(none_as_null=True))
    created_at: Mapped[datetime] = mapped_column("criada_em", UtcTime)


class SimulatedPaymentRow(Base):
    """The simulated gateway's decisions, which a real gateway keeps elsewhere."""

    __tablename__ = "pagamento_simulado"
    __table_args__ = (Index(None, "quando"),)

    reference: Mapped[str] = mapped_column("referencia", String(64), primary_key=True)
    outcome: Mapped[str] = mapped_column("resultado", String(20))
    at: Mapped[datetime] = mapped_column("quando", UtcTime)


class SimulationRow(Base):
    """One row: the simulation's settings as an admin last set them at run time; without it, the environment's hold."""

    __tablename__ = "simulacao"
    __table_args__ = (CheckConstraint("id = 1", name="uma_linha"),)

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    version: Mapped[int] = mapped_column("versao")
    settings: Mapped[dict[str, Any]] = mapped_column("ajustes", JSON)


class TrainingRow(Base):
    """One training, and its model: `id` is the model's version. `holder` has the lease until `expires_at`.

    `digest` is the SHA-256 of `artefact`, which other machines read from here and this one from its file;
    `texts_digest` that of `texts`, which have no file. A training of an older release has none of these two.
    """

    __tablename__ = "modelo_treino"

    id: Mapped[int] = mapped_column(primary_key=True)
    status: Mapped[str] = mapped_column(String(20))
    reason: Mapped[str | None] = mapped_column("motivo", Text)
    started_by: Mapped[str] = mapped_column("iniciado_por", String(80))
    started_at: Mapped[datetime] = mapped_column("iniciado_em", UtcTime)
    ended_at: Mapped[datetime | None] = mapped_column("terminado_em", UtcTime)
    catalogue_version: Mapped[int] = mapped_column("versao_catalogo")
    holder: Mapped[str] = mapped_column("dono", Text)
    expires_at: Mapped[datetime] = mapped_column("expira_em", UtcTime)
    card: Mapped[dict[str, Any] | None] = mapped_column("ficha", JSON(none_as_null=True))
    digest: Mapped[str | None] = mapped_column("sha256", String(64))
    artefact: Mapped[bytes | None] = mapped_column("artefato", LargeBinary, deferred=True)
    texts_digest: Mapped[str | None] = mapped_column("sha256_textos", String(64))
    texts: Mapped[bytes | None] = mapped_column("textos", LargeBinary, deferred=True)


class ActiveModelRow(Base):
    """One row: the active version, if any. It is locked so that trainings begin one at a time."""

    __tablename__ = "modelo_em_uso"
    __table_args__ = (CheckConstraint("id = 1", name="uma_linha"),)

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    version: Mapped[int | None] = mapped_column("versao", ForeignKey("modelo_treino.id"))
    chosen_by: Mapped[str | None] = mapped_column("escolhido_por", String(80))
    chosen_at: Mapped[datetime | None] = mapped_column("escolhido_em", UtcTime)
