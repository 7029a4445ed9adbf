"""A request by code is one of its own beside that of the phone's owner; requests of a contact are found by an index."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_index("uq_callbacks_open_contact", table_name="callbacks")
    op.add_column("callbacks", sa.Column("by_code", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.execute("UPDATE callbacks SET by_code = true WHERE id IN (SELECT callback FROM case_codes)")
    callbacks = sa.table("callbacks", sa.column("by_code", sa.Boolean()), sa.column("ended"))
    own = sa.and_(callbacks.c.ended.is_(None), callbacks.c.by_code.is_(sa.false()))
    known = sa.text("contact IS NOT NULL")
    op.create_index(
        "uq_callbacks_open_contact",
        "callbacks",
        ["contact"],
        unique=True,
        sqlite_where=own,
        postgresql_where=own,
    )
    op.create_index(
        "ix_callbacks_contact", "callbacks", ["contact"], sqlite_where=known, postgresql_where=known
    )
