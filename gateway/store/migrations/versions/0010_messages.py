"""Texts of a person's thread and texts that we send."""

import sqlalchemy as sa
from alembic import op

from gateway.store.database import Instant

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "messages",
        sa.Column("id", sa.String(length=24), nullable=False),
        sa.Column("contact", sa.String(length=24), nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("subject", sa.String(length=24), nullable=False),
        sa.Column("account", sa.String(length=24), nullable=True),
        sa.Column("line_index", sa.LargeBinary(length=16), nullable=False),
        sa.Column("display", sa.String(length=8), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("parts", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("written", Instant(), nullable=False),
        sa.Column("dated", Instant(), nullable=True),
        sa.Column("not_after", Instant(), nullable=False),
        sa.Column("tried", Instant(), nullable=True),
        sa.Column("sid_digest", sa.LargeBinary(length=16), nullable=True),
        sa.Column("changed", Instant(), nullable=False),
        sa.ForeignKeyConstraint(
            ["contact"], ["contacts.id"], name=op.f("fk_messages_contact"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_messages")),
    )
    op.create_index(op.f("ix_messages_subject"), "messages", ["subject", "written"])
    op.create_index(op.f("ix_messages_contact"), "messages", ["contact", "written"])
    op.create_index(op.f("ix_messages_sid_digest"), "messages", ["sid_digest"])
    op.create_index(op.f("ix_messages_written"), "messages", ["written"])
