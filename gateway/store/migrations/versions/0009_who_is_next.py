"""Who is next: the order to serve in, danger, wishes and whom they suit, and what coordinators are told of."""

import sqlalchemy as sa
from alembic import op

from gateway.store.database import Instant

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("accounts") as accounts:
        accounts.add_column(sa.Column("speaks", sa.String(length=40), server_default="", nullable=False))
        accounts.add_column(sa.Column("woman", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.drop_index("ix_callbacks_open", table_name="callbacks")
    with op.batch_alter_table("callbacks") as callbacks:
        callbacks.add_column(sa.Column("rank", Instant(), nullable=True))
        callbacks.add_column(sa.Column("danger", Instant(), nullable=True))
        callbacks.add_column(sa.Column("woman", sa.Boolean(), server_default=sa.false(), nullable=False))
        callbacks.add_column(sa.Column("escalated", Instant(), nullable=True))
        callbacks.add_column(sa.Column("flagged", sa.Boolean(), server_default=sa.false(), nullable=False))
        callbacks.add_column(sa.Column("redials", sa.Integer(), server_default="0", nullable=False))
    op.execute("UPDATE callbacks SET rank = expires")
    with op.batch_alter_table("callbacks") as callbacks:
        callbacks.alter_column("rank", existing_type=Instant(), nullable=False)
    for state, columns in (("waiting", ("rank", "not_before")), ("uncertain", ("not_before",))):
        where = sa.text(f"ended IS NULL AND state = '{state}'")
        for column in columns:
            name = f"ix_callbacks_{column}" if state == "waiting" else "ix_callbacks_uncertain"
            op.create_index(name, "callbacks", [column], sqlite_where=where, postgresql_where=where)
