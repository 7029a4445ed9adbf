"""What the provider still keeps of calls and texts; and until when a number must not be contacted."""

import sqlalchemy as sa
from alembic import op

from gateway.store.database import Instant

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "provider_copies",
        sa.Column("digest", sa.LargeBinary(length=16), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("added", Instant(), nullable=False),
        sa.Column("due", Instant(), nullable=False),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("gave_up", Instant(), nullable=True),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_provider_copies")),
    )
    op.create_index(op.f("ix_provider_copies_added"), "provider_copies", ["added"])
    op.create_index(op.f("ix_provider_copies_due"), "provider_copies", ["due"])
    op.add_column("forbidden", sa.Column("until", Instant(), nullable=True))
    op.create_index(op.f("ix_forbidden_until"), "forbidden", ["until"])
