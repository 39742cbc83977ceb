"""The schedule of scrapes, and the due times whose runs have begun."""

import secrets

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    schedule = op.create_table(
        "scraping_agenda",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("agenda", sa.String(100), nullable=True),
        sa.Column("fuso", sa.String(60), nullable=False),
        sa.Column("jitter_s", sa.Integer, nullable=False),
        sa.Column("ativa", sa.Boolean, nullable=False),
        sa.Column("por_operador", sa.Boolean, nullable=False),
        sa.Column("semente", sa.String(32), nullable=False),
        sa.Column("planejada_em", _TIME, nullable=True),
        sa.Column("prevista_em", _TIME, nullable=True),
        sa.Column("inicia_em", _TIME, nullable=True),
        sa.CheckConstraint("id = 1", name=op.f("ck_scraping_agenda_uma_linha")),
    )
    nothing = {"id": 1, "fuso": "UTC", "jitter_s": 0, "ativa": True, "por_operador": False}
    op.bulk_insert(schedule, [nothing | {"semente": secrets.token_hex(16)}])
    op.create_table(
        "scraping_agenda_execucao",
        sa.Column("prevista_em", _TIME, primary_key=True),
        sa.Column("execucao_id", sa.Integer, nullable=False),
        sa.Column("iniciada_em", _TIME, nullable=False),
        sa.Column("tentativas", sa.Integer, nullable=False),
    )


def downgrade() -> None:
    op.drop_table("scraping_agenda_execucao")
    op.drop_table("scraping_agenda")
