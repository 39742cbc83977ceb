"""Orders, the ledger of the stock, idempotency keys and the simulation"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("livros", schema=None) as batch_op:
        batch_op.add_column(sa.Column("em_falta", sa.Integer(), server_default=sa.text("0"), nullable=False))
        batch_op.create_check_constraint(batch_op.f("ck_livros_em_falta_nao_negativa"), "em_falta >= 0")
    with op.batch_alter_table("catalogo", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column("versao_estoque", sa.Integer(), server_default=sa.text("0"), nullable=False)
        )
    op.create_table(
        "pedido",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("cliente", sa.Text(), nullable=False),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.Column("pagamento_status", sa.String(length=20), nullable=False),
        sa.Column("total", sa.Numeric(15, 2), nullable=False),
        sa.Column("observacoes", sa.Text(), nullable=True),
        sa.Column("criado_em", sa.DateTime(timezone=True), nullable=False),
        sa.Column("atualizado_em", sa.DateTime(timezone=True), nullable=False),
        sa.Column("versao", sa.Integer(), nullable=False),
        sa.Column("dono", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pedido")),
    )
    for column in ("cliente", "criado_em", "pagamento_status", "status"):
        op.create_index(op.f(f"ix_pedido_{column}"), "pedido", [column])
    op.create_table(
        "pedido_item",
        sa.Column("pedido_id", sa.String(length=32), nullable=False),
        sa.Column("livro_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("nome", sa.Text(), nullable=False),
        sa.Column("quantidade", sa.Integer(), nullable=False),
        sa.Column("preco_unitario", sa.Numeric(10, 2), nullable=False),
        sa.Column("no_catalogo", sa.Boolean(), nullable=False),
        sa.CheckConstraint("quantidade > 0", name=op.f("ck_pedido_item_quantidade_positiva")),
        sa.ForeignKeyConstraint(["pedido_id"], ["pedido.id"], name=op.f("fk_pedido_item_pedido_id_pedido")),
        sa.PrimaryKeyConstraint("pedido_id", "livro_id", name=op.f("pk_pedido_item")),
    )
    op.create_table(
        "pedido_historico",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("pedido_id", sa.String(length=32), nullable=False),
        sa.Column("de", sa.String(length=20), nullable=True),
        sa.Column("para", sa.String(length=20), nullable=False),
        sa.Column("quando", sa.DateTime(timezone=True), nullable=False),
        sa.Column("por", sa.String(length=80), nullable=False),
        sa.ForeignKeyConstraint(
            ["pedido_id"], ["pedido.id"], name=op.f("fk_pedido_historico_pedido_id_pedido")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pedido_historico")),
    )
    op.create_index(op.f("ix_pedido_historico_pedido_id"), "pedido_historico", ["pedido_id"])
    op.create_table(
        "estoque_movimento",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("livro_id", sa.Integer(), nullable=False),
        sa.Column("quantidade", sa.Integer(), nullable=False),
        sa.Column("motivo", sa.String(length=20), nullable=False),
        sa.Column("pedido_id", sa.String(length=32), nullable=True),
        sa.Column("quando", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("quantidade <> 0", name=op.f("ck_estoque_movimento_quantidade_nao_nula")),
        sa.ForeignKeyConstraint(
            ["pedido_id"], ["pedido.id"], name=op.f("fk_estoque_movimento_pedido_id_pedido")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_estoque_movimento")),
    )
    for column in ("livro_id", "pedido_id"):
        op.create_index(op.f(f"ix_estoque_movimento_{column}"), "estoque_movimento", [column])
    # The ledger begins with what is on the shelves now.
    op.execute(
        sa.text(
            "INSERT INTO estoque_movimento (livro_id, quantidade, motivo, quando) "
            "SELECT id, disponibilidade, 'abertura', CURRENT_TIMESTAMP FROM livros WHERE disponibilidade <> 0"
        )
    )
    op.create_table(
        "idempotencia",
        sa.Column("chave", sa.String(length=255), nullable=False),
        sa.Column("corpo_sha256", sa.String(length=64), nullable=False),
        sa.Column("pedido_id", sa.String(length=32), nullable=True),
        sa.Column("resposta", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("criada_em", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["pedido_id"], ["pedido.id"], name=op.f("fk_idempotencia_pedido_id_pedido")),
        sa.PrimaryKeyConstraint("chave", name=op.f("pk_idempotencia")),
        sa.UniqueConstraint("pedido_id", name=op.f("uq_idempotencia_pedido_id")),
    )
    op.create_index(op.f("ix_idempotencia_criada_em"), "idempotencia", ["criada_em"])
    op.create_table(
        "pagamento_simulado",
        sa.Column("referencia", sa.String(length=64), nullable=False),
        sa.Column("resultado", sa.String(length=20), nullable=False),
        sa.Column("quando", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("referencia", name=op.f("pk_pagamento_simulado")),
    )
    op.create_index(op.f("ix_pagamento_simulado_quando"), "pagamento_simulado", ["quando"])
    op.create_table(
        "simulacao",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("versao", sa.Integer(), nullable=False),
        sa.Column("ajustes", sa.JSON(), nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck_simulacao_uma_linha")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_simulacao")),
    )


def downgrade() -> None:
    for table in (
        "simulacao",
        "pagamento_simulado",
        "idempotencia",
        "estoque_movimento",
        "pedido_historico",
        "pedido_item",
        "pedido",
    ):
        op.drop_table(table)
    with op.batch_alter_table("catalogo", schema=None) as batch_op:
        batch_op.drop_column("versao_estoque")
    with op.batch_alter_table("livros", schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f("ck_livros_em_falta_nao_negativa"), type_="check")
        batch_op.drop_column("em_falta")
