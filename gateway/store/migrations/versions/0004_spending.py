"""What was spent, an hour, a kind and a campaign a row."""

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
