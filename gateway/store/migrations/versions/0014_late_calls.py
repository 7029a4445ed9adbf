"""A call that leaves late puts off the moments nobody has taken yet, so moments are numbered."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("paces", sa.Column("taken", sa.BigInteger(), nullable=False, server_default="0"))
