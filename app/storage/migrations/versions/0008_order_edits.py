"""An edit of an order is a row of its history too, with the names of the fields that it changed."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("pedido_historico", sa.Column("campos", sa.JSON(none_as_null=True), nullable=True))


def downgrade() -> None:
    op.execute(sa.text("DELETE FROM pedido_historico WHERE campos IS NOT NULL"))
    op.drop_column("pedido_historico", "campos")
