"""Campaigns whose recipients are listed slice by slice and counted, the pace of all hosts, operators' lists."""

import sqlalchemy as sa
from alembic import op

from gateway.store.database import Instant

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

_OPEN = sa.text("state IN ('running', 'paused')")


def upgrade() -> None:
    # What was under way cannot go on by the new rules: nobody is rung for it any more.
    op.drop_table("recipients")
    op.drop_table("campaigns")
    _campaigns()
    _recipients()
    op.create_table(
        "tallies",
        sa.Column("campaign", sa.String(length=24), nullable=False),
        sa.Column("hour", Instant(), nullable=False),
        sa.Column("what", sa.String(length=16), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["campaign"], ["campaigns.id"], name=op.f("fk_tallies_campaign"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("campaign", "hour", "what", name=op.f("pk_tallies")),
    )
    op.create_table(
        "paces",
        sa.Column("name", sa.String(length=16), nullable=False),
        sa.Column("free_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_paces")),
    )
    op.create_table(
        "do_not_contact",
        sa.Column("number_index", sa.LargeBinary(length=16), nullable=False),
        sa.PrimaryKeyConstraint("number_index", name=op.f("pk_do_not_contact")),
        sqlite_with_rowid=False,
    )
    op.add_column("consents", sa.Column("topic", sa.String(length=24), nullable=True))
    op.create_index(
        "ix_consents_audience", "consents", ["way", "language", "id", "until", "asked", "topic"],
        sqlite_where=sa.text("live = 1"), postgresql_where=sa.text("live"),
    )  # fmt: skip
    standing = sa.text("ended IS NULL")
    op.create_index(
        "ix_legs_standing", "legs", ["kind", "line_index"], sqlite_where=standing, postgresql_where=standing
    )


def _campaigns() -> None:
    op.create_table(
        "campaigns",
        sa.Column("id", sa.String(length=24), nullable=False),
        sa.Column("version", sa.String(length=24), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("launched_by", sa.String(length=24), nullable=False),
        sa.Column("launched", Instant(), nullable=False),
        sa.Column("starts", Instant(), nullable=False),
        sa.Column("not_after", Instant(), nullable=False),
        sa.Column("topic", sa.String(length=24), nullable=True),
        sa.Column("asked_from", Instant(), nullable=True),
        sa.Column("asked_until", Instant(), nullable=True),
        sa.Column("per_day", sa.Integer(), nullable=False),
        sa.Column("day", sa.Integer(), server_default="0", nullable=False),
        sa.Column("day_filled", sa.Integer(), server_default="0", nullable=False),
        sa.Column("cap", sa.BigInteger(), nullable=True),
        sa.Column("last_listed", sa.String(length=24), server_default="", nullable=False),
        sa.Column("all_listed", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("refusals", sa.Integer(), server_default="0", nullable=False),
        sa.Column("wait_until", Instant(), nullable=True),
        sa.ForeignKeyConstraint(["version"], ["programme_versions.id"], name=op.f("fk_campaigns_version")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_campaigns")),
    )
    op.create_index(
        "uq_campaigns_open", "campaigns", ["version"], unique=True,
        sqlite_where=_OPEN, postgresql_where=_OPEN,
    )  # fmt: skip


def _recipients() -> None:
    op.create_table(
        "recipients",
        sa.Column("id", sa.String(length=24), nullable=False),
        sa.Column("campaign", sa.String(length=24), nullable=False),
        sa.Column("consent", sa.String(length=24), nullable=False),
        sa.Column("lane", sa.SmallInteger(), nullable=False),
        sa.Column("calling", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("due", Instant(), nullable=False),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("reached", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("asked", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("pieces", sa.Integer(), server_default="0", nullable=False),
        sa.Column("why", sa.String(length=16), nullable=True),
        sa.ForeignKeyConstraint(
            ["campaign"], ["campaigns.id"], name=op.f("fk_recipients_campaign"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_recipients")),
        sa.UniqueConstraint("consent", "campaign", name=op.f("uq_recipients_consent_campaign")),
    )
    # Written as each database is asked for it, or it would not find that the index answers.
    op.create_index(
        "ix_recipients_pending", "recipients", ["campaign", "lane", "due"],
        sqlite_where=sa.text("calling = 0"), postgresql_where=sa.text("NOT calling"),
    )  # fmt: skip
    op.create_index(
        "ix_recipients_calling", "recipients", ["campaign"],
        sqlite_where=sa.text("calling = 1"), postgresql_where=sa.text("calling"),
    )  # fmt: skip
