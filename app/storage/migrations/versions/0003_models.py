"""Trainings of models, and which of them is served"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "modelo_treino",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.Column("motivo", sa.Text(), nullable=True),
        sa.Column("iniciado_por", sa.String(length=80), nullable=False),
        sa.Column("iniciado_em", sa.DateTime(timezone=True), nullable=False),
        sa.Column("terminado_em", sa.DateTime(timezone=True), nullable=True),
        sa.Column("versao_catalogo", sa.Integer(), nullable=False),
        sa.Column("dono", sa.Text(), nullable=False),
        sa.Column("expira_em", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ficha", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("sha256", sa.String(length=64), nullable=True),
        sa.Column("artefato", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_modelo_treino")),
    )
    in_use = op.create_table(
        "modelo_em_uso",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("versao", sa.Integer(), nullable=True),
        sa.Column("escolhido_por", sa.String(length=80), nullable=True),
        sa.Column("escolhido_em", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("id = 1", name=op.f("ck_modelo_em_uso_uma_linha")),
        sa.ForeignKeyConstraint(
            ["versao"], ["modelo_treino.id"], name=op.f("fk_modelo_em_uso_versao_modelo_treino")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_modelo_em_uso")),
    )
    op.bulk_insert(in_use, [{"id": 1}])


def downgrade() -> None:
    op.drop_table("modelo_em_uso")
    op.drop_table("modelo_treino")
