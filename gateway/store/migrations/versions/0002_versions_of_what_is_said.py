"""Versions of what is said, recordings by people, and a sound for each wording that a key ever had."""

import sqlalchemy as sa
from alembic import op

from gateway.store.database import Instant


revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "packs",
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("files", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("hash", name=op.f("pk_packs")),
    )
    op.create_table(
        "script_versions",
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("pack", sa.String(length=64), nullable=False),
        sa.Column("shipped", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("authors", sa.Text(), server_default="", nullable=False),
        sa.Column("begun", Instant(), nullable=False),
        sa.Column("published_by", sa.String(length=24), nullable=True),
        sa.Column("published", Instant(), nullable=True),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_script_versions")),
    )
    for state in ("draft", "published"):
        op.create_index(
            f"uq_script_versions_{state}",
            "script_versions",
            ["state"],
            unique=True,
            sqlite_where=sa.text(f"state = '{state}'"),
            postgresql_where=sa.text(f"state = '{state}'"),
        )
    op.create_table(
        "recordings",
        sa.Column("id", sa.String(length=24), nullable=False),
        sa.Column("language", sa.String(length=8), nullable=False),
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("text_hash", sa.String(length=64), nullable=False),
        sa.Column("sound", sa.String(length=64), nullable=False),
        sa.Column("uploaded_by", sa.String(length=24), nullable=False),
        sa.Column("uploaded", Instant(), nullable=False),
        sa.Column("approved_by", sa.String(length=24), nullable=True),
        sa.Column("approved", Instant(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_recordings")),
    )
    op.create_index("ix_recordings_wording", "recordings", ["language", "key", "text_hash"])
    with op.batch_alter_table("prompt_sounds") as batch_op:
        batch_op.drop_constraint("uq_prompt_sounds_language_key", type_="unique")
        batch_op.create_unique_constraint(
            batch_op.f("uq_prompt_sounds_language_key_text_hash"), ["language", "key", "text_hash"]
        )
