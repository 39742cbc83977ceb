"""A staged page has an age of its own, whatever run it was handed to."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


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


def downgrade() -> None:
    op.drop_column("scraping_pagina", "lida_em")
