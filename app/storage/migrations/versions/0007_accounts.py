"""User names are unique in every spelling; users can be disabled, and asked for another password."""

import unicodedata

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_USERS = sa.table(
    "usuario", sa.column("id", sa.Integer), sa.column("username", sa.String), sa.column("nome_unico", sa.Text)
)


def upgrade() -> None:
    # Columns and an index, no constraint: to build `usuario` anew would delete the logins with the old one.
    op.add_column("usuario", sa.Column("nome_unico", sa.Text(), nullable=True))
    op.add_column(
        "usuario", sa.Column("deve_trocar_senha", sa.Boolean(), server_default=sa.false(), nullable=False)
    )
    op.add_column("usuario", sa.Column("desativado_em", sa.DateTime(timezone=True), nullable=True))
    _name_users_once()
    op.create_index("ix_usuario_nome_unico", "usuario", ["nome_unico"], unique=True)


def downgrade() -> None:
    op.drop_index("ix_usuario_nome_unico", "usuario")
    for column in ("nome_unico", "deve_trocar_senha", "desativado_em"):
        op.drop_column("usuario", column)


def _name_users_once() -> None:
    """Give each name to its oldest user. Later ones keep their spelling, by which they still log in, and no key."""
    connection = op.get_bind()
    users = connection.execute(sa.select(_USERS.c.id, _USERS.c.username).order_by(_USERS.c.id)).all()
    taken = {username for _, username in users}
    keys: set[str] = set()
    for user_id, username in users:
        key = unicodedata.normalize("NFC", unicodedata.normalize("NFD", username).casefold())
        if key in keys:
            continue
        keys.add(key)
        composed = unicodedata.normalize("NFC", username)
        name = username if composed in taken or len(composed) > 80 else composed
        connection.execute(
            _USERS.update().where(_USERS.c.id == user_id).values(username=name, nome_unico=key)
        )
