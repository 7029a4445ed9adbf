"""The services directory and who was told of it; cases kept open longer, and cases offered to a colleague."""

import sqlalchemy as sa
from alembic import op

from gateway.store.database import Instant

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "directory",
        sa.Column("id", sa.String(length=24), nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("languages", sa.String(length=40), nullable=False),
        sa.Column("words", sa.LargeBinary(), nullable=False),
        sa.Column("valid_until", Instant(), nullable=False),
        sa.Column("author", sa.String(length=24), nullable=False),
        sa.Column("changed", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_directory")),
    )
    op.create_table(
        "referrals",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("callback", sa.String(length=24), nullable=False),
        sa.Column("entry", sa.String(length=24), nullable=False),
        sa.Column("account", sa.String(length=24), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(
            ["callback"], ["callbacks.id"], name=op.f("fk_referrals_callback"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["entry"], ["directory.id"], name=op.f("fk_referrals_entry"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_referrals")),
    )
    op.create_index(op.f("ix_referrals_at"), "referrals", ["at"])
    op.create_index(op.f("ix_referrals_callback"), "referrals", ["callback"])
    op.create_index(op.f("ix_referrals_entry"), "referrals", ["entry"])
    op.create_table(
        "renewals",
        sa.Column("callback", sa.String(length=24), nullable=False),
        sa.Column("until", Instant(), nullable=False),
        sa.Column("reason", sa.LargeBinary(), nullable=False),
        sa.Column("account", sa.String(length=24), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(
            ["callback"], ["callbacks.id"], name=op.f("fk_renewals_callback"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("callback", name=op.f("pk_renewals")),
    )
    op.create_table(
        "handovers",
        sa.Column("callback", sa.String(length=24), nullable=False),
        sa.Column("giver", sa.String(length=24), nullable=False),
        sa.Column("taker", sa.String(length=24), nullable=False),
        sa.Column("until", Instant(), nullable=False),
        sa.ForeignKeyConstraint(
            ["callback"], ["callbacks.id"], name=op.f("fk_handovers_callback"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("callback", name=op.f("pk_handovers")),
    )
    op.create_index(op.f("ix_handovers_taker"), "handovers", ["taker"])
