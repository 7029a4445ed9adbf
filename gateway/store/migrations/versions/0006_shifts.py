"""Opening hours and holidays, the plan of shifts, who is there since when, and requests that somebody refused."""

from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op

from gateway.store.database import Instant

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _hours()
    op.create_table(
        "attendance",
        sa.Column("account", sa.String(length=24), nullable=False),
        sa.Column("since", Instant(), nullable=True),
        sa.Column("paused_until", Instant(), nullable=True),
        sa.Column("off_why", sa.String(length=16), server_default="", nullable=False),
        sa.Column("daily_cap", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["account"], ["accounts.id"], name=op.f("fk_attendance_account"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("account", name=op.f("pk_attendance")),
    )
    op.create_index("ix_attendance_since", "attendance", ["since"])
    # Who is on shift today has been since now.
    attendance = sa.table("attendance", sa.column("account"), sa.column("since", Instant()))
    accounts = sa.table("accounts", sa.column("id"), sa.column("on_shift", sa.Boolean()))
    here = sa.select(accounts.c.id, sa.literal(datetime.now(UTC), Instant())).where(accounts.c.on_shift)
    op.execute(sa.insert(attendance).from_select(["account", "since"], here))
    op.create_table(
        "shifts",
        sa.Column("id", sa.String(length=24), nullable=False),
        sa.Column("account", sa.String(length=24), nullable=False),
        sa.Column("begins", Instant(), nullable=False),
        sa.Column("ends", Instant(), nullable=False),
        sa.Column("began", Instant(), nullable=True),
        sa.Column("ended", Instant(), nullable=True),
        sa.ForeignKeyConstraint(
            ["account"], ["accounts.id"], name=op.f("fk_shifts_account"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_shifts")),
    )
    unfinished = sa.text("ended IS NULL")
    op.create_index(
        "ix_shifts_unfinished", "shifts", ["begins"], sqlite_where=unfinished, postgresql_where=unfinished
    )
    op.create_index("ix_shifts_account_begins", "shifts", ["account", "begins"])
    op.create_index("ix_shifts_ends", "shifts", ["ends"])
    op.create_table(
        "refusals",
        sa.Column("callback", sa.String(length=24), nullable=False),
        sa.Column("account", sa.String(length=24), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account"], ["accounts.id"], name=op.f("fk_refusals_account"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["callback"], ["callbacks.id"], name=op.f("fk_refusals_callback"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("callback", "account", name=op.f("pk_refusals")),
    )
    op.create_index(op.f("ix_refusals_account"), "refusals", ["account"])
    somebody = sa.text("account IS NOT NULL")
    op.create_index(
        "ix_callback_moves_account", "callback_moves", ["account", "at"],
        sqlite_where=somebody, postgresql_where=somebody,
    )  # fmt: skip


def _hours() -> None:
    op.create_table(
        "opening_hours",
        sa.Column("weekday", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("opens", sa.Integer(), nullable=True),
        sa.Column("closes", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("weekday", name=op.f("pk_opening_hours")),
    )
    op.create_table(
        "holidays",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("opens", sa.Integer(), nullable=True),
        sa.Column("closes", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("day", name=op.f("pk_holidays")),
    )
