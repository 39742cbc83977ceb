"""A scrape's lease is in its own row, as a training's is; `scraping_trava` is only locked."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_LEASE = ("dono", "expira_em")


def upgrade() -> None:
    # Added and dropped one by one: to build `scraping_execucao` anew would delete the staged pages with the old one.
    op.add_column("scraping_execucao", sa.Column("dono", sa.Text(), nullable=True))
    op.add_column("scraping_execucao", sa.Column("expira_em", sa.DateTime(timezone=True), nullable=True))
    _copy("scraping_execucao", "scraping_trava", "scraping_trava.execucao_id = scraping_execucao.id")
    for column in ("execucao_id", *_LEASE):
        op.drop_column("scraping_trava", column)


def downgrade() -> None:
    op.add_column("scraping_trava", sa.Column("execucao_id", sa.Integer(), nullable=True))
    op.add_column("scraping_trava", sa.Column("dono", sa.Text(), nullable=True))
    op.add_column("scraping_trava", sa.Column("expira_em", sa.DateTime(timezone=True), nullable=True))
    running = "SELECT max(id) FROM scraping_execucao WHERE status = 'processing'"
    op.execute(sa.text(f"UPDATE scraping_trava SET execucao_id = ({running})"))  # noqa: S608 - our own text
    _copy("scraping_trava", "scraping_execucao", "scraping_execucao.id = scraping_trava.execucao_id")
    for column in _LEASE:
        op.drop_column("scraping_execucao", column)


def _copy(target: str, source: str, match: str) -> None:
    for column in _LEASE:
        value = f"SELECT {source}.{column} FROM {source} WHERE {match}"  # noqa: S608 - our own names
        op.execute(sa.text(f"UPDATE {target} SET {column} = ({value})"))  # noqa: S608
