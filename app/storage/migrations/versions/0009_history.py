"""Past publications are remembered; of a shop that has a catalogue, the present one is the first."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_TIME = sa.DateTime(timezone=True)
_MONEY = sa.Numeric(10, 2)


def upgrade() -> None:
    op.create_table(
        "publicacao",
        sa.Column("versao", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("publicado_em", _TIME, nullable=False),
        sa.Column("origem", sa.String(20), nullable=False),
        sa.Column("fonte", sa.Text, nullable=False),
        sa.Column("ultimo_movimento", sa.Integer, nullable=False),
    )
    op.create_table(
        "livro_historico",
        sa.Column("livro_id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("versao", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("preco_sem_taxa", _MONEY, nullable=False),
        sa.Column("preco_com_taxa", _MONEY, nullable=False),
        sa.Column("disponibilidade", sa.Integer, nullable=False),
        sa.Column("listado", sa.Boolean, nullable=False),
        sa.Column("mudancas", sa.Integer, nullable=False),
    )
    op.create_index("ix_livro_historico_versao_livro_id", "livro_historico", ["versao", "livro_id"])
    op.create_table(
        "livro_texto_anterior",
        sa.Column("livro_id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("ultima_versao", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("titulo", sa.Text, nullable=False),
        sa.Column("categoria", sa.Text, nullable=False),
        sa.Column("classificacao_em_estrelas", sa.Integer, nullable=False),
        sa.Column("url_imagem", sa.Text, nullable=False),
        sa.Column("descricao", sa.Text, nullable=False),
        sa.Column("upc", sa.Text, nullable=False),
        sa.Column("url_produto", sa.Text, nullable=False),
    )


def downgrade() -> None:
    op.drop_table("livro_texto_anterior")
    op.drop_table("livro_historico")
    op.drop_table("publicacao")
