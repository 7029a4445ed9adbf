"""Browsers from which somebody signed in before: what others guess does not slow these down."""

import sqlalchemy as sa
from alembic import op

from gateway.store.database import Instant


revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "known_clients",
        sa.Column("digest", sa.LargeBinary(length=16), nullable=False),
        sa.Column("account", sa.String(length=24), nullable=False),
        sa.Column("seen", Instant(), nullable=False),
        sa.Column("failures", sa.Integer(), server_default="0", nullable=False),
        sa.Column("wait_until", Instant(), nullable=True),
        sa.ForeignKeyConstraint(
            ["account"], ["accounts.id"], name=op.f("fk_known_clients_account"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_known_clients")),
    )
    op.create_index(op.f("ix_known_clients_account"), "known_clients", ["account"])
    op.create_index(op.f("ix_known_clients_seen"), "known_clients", ["seen"])
