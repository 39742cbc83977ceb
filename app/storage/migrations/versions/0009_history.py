"""Past publications are remembered; of a shop that has a catalogue, the present one is the first."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_TIME = sa.DateTime(timezone=True)
_MONEY = sa.Numeric(10, 2)
# Of a publication's movements all are written at its time, with no other between them; without one, the time decides.
_PRESENT_PUBLICATION = """
    INSERT INTO publicacao (versao, publicado_em, origem, fonte, ultimo_movimento)
    SELECT versao, publicado_em, origem, fonte, coalesce(
        (SELECT max(id) FROM estoque_movimento
         WHERE quando = publicado_em AND motivo IN ('contagem', 'demonstracao')),
        (SELECT max(id) FROM estoque_movimento WHERE quando <= publicado_em),
        0)
    FROM catalogo WHERE versao > 0
"""
_BOOKS_AS_PUBLISHED = """
    INSERT INTO livro_historico
        (livro_id, versao, preco_sem_taxa, preco_com_taxa, disponibilidade, listado, mudancas)
    SELECT livros.id, versao, preco_sem_taxa, preco_com_taxa, disponibilidade - coalesce(
        (SELECT sum(quantidade) FROM estoque_movimento
         WHERE livro_id = livros.id AND estoque_movimento.id > ultimo_movimento),
        0), listado, 0
    FROM livros CROSS JOIN publicacao
"""


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
        sqlite_with_rowid=False,
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
    op.execute(_PRESENT_PUBLICATION)
    op.execute(_BOOKS_AS_PUBLISHED)


def downgrade() -> None:
    op.drop_table("livro_texto_anterior")
    op.drop_table("livro_historico")
    op.drop_table("publicacao")
