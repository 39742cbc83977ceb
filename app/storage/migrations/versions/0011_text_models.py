"""A training also keeps what it found in the texts of the books, and the digest of that."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("modelo_treino") as table:
        table.add_column(sa.Column("sha256_textos", sa.String(64), nullable=True))
        table.add_column(sa.Column("textos", sa.LargeBinary, nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("modelo_treino") as table:
        table.drop_column("textos")
        table.drop_column("sha256_textos")
