"""Programmes in several versions, as sound or as one text; opt-ins that are asked for again; opt-ins by text."""

import sqlalchemy as sa
from alembic import op

from gateway.store.database import Instant

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("programme_versions", _way())
    op.add_column("programme_versions", sa.Column("number", sa.Integer(), server_default="1", nullable=False))
    op.add_column(
        "programme_versions", sa.Column("wave", sa.String(length=240), server_default="", nullable=False)
    )
    op.create_index(
        "uq_versions_number",
        "programme_versions",
        ["programme", "language", "way", "number"],
        unique=True,
    )
    op.add_column("consents", _way())
    op.add_column("consents", sa.Column("asked_key", sa.String(length=8), nullable=True))
    consents = sa.table(
        "consents", sa.column("asked_key"), sa.column("own_key"), sa.column("live", sa.Boolean())
    )
    op.execute(sa.update(consents).where(~consents.c.live).values(asked_key=consents.c.own_key))
    op.create_table(
        "text_opt_ins",
        sa.Column("contact", sa.String(length=24), nullable=False),
        sa.Column("code", sa.LargeBinary(length=16), nullable=False),
        sa.Column("tries", sa.Integer(), server_default="0", nullable=False),
        sa.Column("language", sa.String(length=8), nullable=False),
        sa.Column("line_index", sa.LargeBinary(length=16), nullable=False),
        sa.Column("until", Instant(), nullable=False),
        sa.ForeignKeyConstraint(
            ["contact"], ["contacts.id"], name=op.f("fk_text_opt_ins_contact"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("contact", name=op.f("pk_text_opt_ins")),
    )
    op.create_index(op.f("ix_text_opt_ins_until"), "text_opt_ins", ["until"])


def _way() -> sa.Column[str]:
    return sa.Column("way", sa.String(length=8), server_default="call", nullable=False)
