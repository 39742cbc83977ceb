"""A staged page has an age of its own, whatever run it was handed to; no address that is shown has a password."""

import re

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_ADDRESSES = (
    ("catalogo", "fonte"), ("livros", "url_produto"), ("livros", "url_imagem"),
    ("scraping_execucao", "url_base"), ("scraping_execucao", "motivo"),
)  # fmt: skip
_CREDENTIALS = re.compile(r"(?<=://)[^/?#\s]*@")


def upgrade() -> None:
    op.add_column("scraping_pagina", sa.Column("lida_em", sa.DateTime(timezone=True), nullable=True))
    # Pages that were handed on are as old as the first run of their chain may be.
    op.execute(
        sa.text(
            "WITH RECURSIVE corrente (id, anterior, iniciada_em) AS ("
            " SELECT id, retomada_de, iniciada_em FROM scraping_execucao"
            " UNION ALL SELECT corrente.id, antes.retomada_de, antes.iniciada_em"
            " FROM corrente JOIN scraping_execucao antes ON antes.id = corrente.anterior)"
            " UPDATE scraping_pagina SET lida_em ="
            " (SELECT min(iniciada_em) FROM corrente WHERE corrente.id = scraping_pagina.execucao_id)"
        )
    )
    with op.batch_alter_table("scraping_pagina") as table:
        table.alter_column("lida_em", existing_type=sa.DateTime(timezone=True), nullable=False)
    for table_name, column_name in _ADDRESSES:
        _remove_credentials(sa.table(table_name, sa.column("id"), sa.column(column_name)), column_name)
    _remove_credentials_of_failed_pages()


def _remove_credentials(table: sa.TableClause, column_name: str) -> None:
    """Take user and password out of the addresses that an older release stored."""
    key, column, connection = table.c.id, table.c[column_name], op.get_bind()
    for row_id, value in connection.execute(sa.select(key, column).where(column.like("%://%@%"))).all():
        clean = _CREDENTIALS.sub("", value)
        connection.execute(sa.update(table).where(key == row_id).values({column_name: clean}))


def _remove_credentials_of_failed_pages() -> None:
    runs = sa.table("scraping_execucao", sa.column("id"), sa.column("falhas", sa.JSON(none_as_null=True)))
    connection = op.get_bind()
    for run_id, pages in connection.execute(sa.select(runs.c.id, runs.c.falhas)).all():
        clean = [{key: _CREDENTIALS.sub("", text) for key, text in page.items()} for page in pages or ()]
        if clean != (pages or []):
            connection.execute(sa.update(runs).where(runs.c.id == run_id).values(falhas=clean))


def downgrade() -> None:
    op.drop_column("scraping_pagina", "lida_em")
