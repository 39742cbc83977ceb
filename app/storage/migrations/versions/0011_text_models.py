"""A training also keeps what it found in the texts of the books, and the digest of that."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("modelo_treino", sa.Column("sha256_textos", sa.String(64), nullable=True))
    op.add_column("modelo_treino", sa.Column("textos", sa.LargeBinary, nullable=True))


def downgrade() -> None:
    op.drop_column("modelo_treino", "textos")
    op.drop_column("modelo_treino", "sha256_textos")
