"""What was spent, and how often something was done for strangers."""

import sqlalchemy as sa
from alembic import op

from gateway.store.database import Instant

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "spending",
        sa.Column("hour", Instant(), nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("campaign", sa.String(length=24), nullable=False),
        sa.Column("spent", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("hour", "kind", "campaign", name=op.f("pk_spending")),
    )
    op.create_table(
        "quotas",
        sa.Column("began", Instant(), nullable=False),
        sa.Column("name", sa.String(length=24), nullable=False),
        sa.Column("key", sa.LargeBinary(length=16), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("began", "name", "key", name=op.f("pk_quotas")),
    )
