"""An audience, and who is being called, are counted from their indexes alone, which so far lacked one column."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _again("ix_consents_audience", "consents", "live", ["way", "language", "id", "until", "asked", "topic"])
    _again("ix_recipients_calling", "recipients", "calling", ["campaign"])


def _again(name: str, table: str, where: str, columns: list[str]) -> None:
    op.drop_index(name, table_name=table)
    op.create_index(
        name, table, [*columns, where],
        sqlite_where=sa.text(f"{where} = 1"), postgresql_where=sa.text(where),
    )  # fmt: skip
