"""First tables"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "catalogo",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("versao", sa.Integer(), nullable=False),
        sa.Column("publicado_em", sa.DateTime(timezone=True), nullable=False),
        sa.Column("origem", sa.String(length=20), nullable=False),
        sa.Column("fonte", sa.Text(), nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck_catalogo_uma_linha")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_catalogo")),
    )
    op.create_table(
        "livros",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("titulo", sa.Text(), nullable=False),
        sa.Column("preco_sem_taxa", sa.Numeric(10, 2), nullable=False),
        sa.Column("preco_com_taxa", sa.Numeric(10, 2), nullable=False),
        sa.Column("disponibilidade", sa.Integer(), nullable=False),
        sa.Column("categoria", sa.Text(), nullable=False),
        sa.Column("classificacao_em_estrelas", sa.Integer(), nullable=False),
        sa.Column("url_imagem", sa.Text(), nullable=False),
        sa.Column("descricao", sa.Text(), nullable=False),
        sa.Column("upc", sa.Text(), nullable=False),
        sa.Column("url_produto", sa.Text(), nullable=False),
        sa.Column("listado", sa.Boolean(), nullable=False),
        sa.CheckConstraint(
            "classificacao_em_estrelas BETWEEN 1 AND 5", name=op.f("ck_livros_classificacao_de_1_a_5")
        ),
        sa.CheckConstraint("disponibilidade >= 0", name=op.f("ck_livros_disponibilidade_nao_negativa")),
        sa.CheckConstraint(
            "preco_sem_taxa >= 0 AND preco_com_taxa >= 0", name=op.f("ck_livros_precos_nao_negativos")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_livros")),
        sa.UniqueConstraint("upc", name=op.f("uq_livros_upc")),
    )
    op.create_table(
        "scraping_execucao",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.Column("motivo", sa.Text(), nullable=True),
        sa.Column("url_base", sa.Text(), nullable=False),
        sa.Column("iniciada_por", sa.String(length=80), nullable=False),
        sa.Column("iniciada_em", sa.DateTime(timezone=True), nullable=False),
        sa.Column("terminada_em", sa.DateTime(timezone=True), nullable=True),
        sa.Column("retomada_de", sa.Integer(), nullable=True),
        sa.Column("cancelada_por", sa.String(length=80), nullable=True),
        sa.Column("paginas_total", sa.Integer(), nullable=False),
        sa.Column("paginas_feitas", sa.Integer(), nullable=False),
        sa.Column("paginas_com_falha", sa.Integer(), nullable=False),
        sa.Column("paginas_reaproveitadas", sa.Integer(), nullable=False),
        sa.Column("livros_lidos", sa.Integer(), nullable=False),
        sa.Column("versao_publicada", sa.Integer(), nullable=True),
        sa.Column("contagem", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("diferenca", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("falhas", sa.JSON(none_as_null=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_scraping_execucao")),
    )
    op.create_table(
        "scraping_trava",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("execucao_id", sa.Integer(), nullable=True),
        sa.Column("dono", sa.Text(), nullable=True),
        sa.Column("expira_em", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("id = 1", name=op.f("ck_scraping_trava_uma_linha")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_scraping_trava")),
    )
    # Both are one row, there from the start: there is always something to lock and to update.
    op.execute(sa.text("INSERT INTO scraping_trava (id) VALUES (1)"))
    op.execute(
        sa.text(
            "INSERT INTO catalogo (id, versao, publicado_em, origem, fonte) "
            "VALUES (1, 0, '1970-01-01 00:00:00', 'nenhuma', '')"
        )
    )
    op.create_table(
        "usuario",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("username", sa.String(length=80), nullable=False),
        sa.Column("password", sa.Text(), nullable=False),
        sa.Column("papel", sa.String(length=20), nullable=False),
        sa.Column("criado_em", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_usuario")),
        sa.UniqueConstraint("username", name=op.f("uq_usuario_username")),
    )
    op.create_table(
        "scraping_pagina",
        sa.Column("execucao_id", sa.Integer(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("livro", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["execucao_id"],
            ["scraping_execucao.id"],
            name=op.f("fk_scraping_pagina_execucao_id_scraping_execucao"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("execucao_id", "url", name=op.f("pk_scraping_pagina")),
    )
    op.create_table(
        "sessao",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("usuario_id", sa.Integer(), nullable=False),
        sa.Column("refresh_jti", sa.String(length=36), nullable=False),
        sa.Column("iniciada_em", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expira_em", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["usuario_id"], ["usuario.id"], name=op.f("fk_sessao_usuario_id_usuario"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sessao")),
    )
    with op.batch_alter_table("sessao", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_sessao_expira_em"), ["expira_em"], unique=False)
        batch_op.create_index(batch_op.f("ix_sessao_usuario_id"), ["usuario_id"], unique=False)


def downgrade() -> None:
    with op.batch_alter_table("sessao", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_sessao_usuario_id"))
        batch_op.drop_index(batch_op.f("ix_sessao_expira_em"))

    op.drop_table("sessao")
    op.drop_table("scraping_pagina")
    op.drop_table("usuario")
    op.drop_table("scraping_trava")
    op.drop_table("scraping_execucao")
    op.drop_table("livros")
    op.drop_table("catalogo")
