"""What a number chose, its language and its letters, is not remembered for ever."""

import sqlalchemy as sa
from alembic import op

from gateway.store.database import Instant

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("preferences") as preferences:
        preferences.add_column(sa.Column("chosen", Instant(), nullable=False, server_default="0"))
    # Nobody knows when; from today on it is counted.
    moment = sa.text("UPDATE preferences SET chosen = CAST(strftime('%s', 'now') AS INTEGER) * 1000")
    if op.get_bind().dialect.name == "postgresql":
        moment = sa.text("UPDATE preferences SET chosen = CAST(EXTRACT(EPOCH FROM now()) AS BIGINT) * 1000")
    op.execute(moment)
    with op.batch_alter_table("preferences") as preferences:
        preferences.alter_column(
            "chosen", existing_type=Instant(), existing_nullable=False, server_default=None
        )
        preferences.create_index(op.f("ix_preferences_chosen"), ["chosen"])
