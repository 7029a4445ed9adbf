"""Invitations, recovery codes, passkeys, the short unlock code; tries counted by lane and not by account."""

import sqlalchemy as sa
from alembic import op

from gateway.store.database import Instant

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("accounts", sa.Column("unlock_hash", sa.String(length=200), nullable=True))
    op.add_column("sessions", sa.Column("device", sa.String(length=40), server_default="", nullable=False))
    op.add_column("sessions", sa.Column("wrong_unlocks", sa.Integer(), server_default="0", nullable=False))
    for table in ("accounts", "known_clients"):
        for column in ("failures", "wait_until"):
            op.execute(f"ALTER TABLE {table} DROP COLUMN {column}")  # a batch would empty what refers to it
    op.create_table(
        "guesses",
        sa.Column("lane", sa.LargeBinary(length=16), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("wait_until", Instant(), nullable=True),
        sa.Column("seen", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("lane", name=op.f("pk_guesses")),
    )
    op.create_index(op.f("ix_guesses_seen"), "guesses", ["seen"])
    op.create_table(
        "invitations",
        sa.Column("selector", sa.String(length=8), nullable=False),
        sa.Column("digest", sa.LargeBinary(length=16), nullable=False),
        sa.Column("alias", sa.String(length=40), nullable=False),
        sa.Column("role", sa.String(length=12), nullable=False),
        sa.Column("account", sa.String(length=24), nullable=True),
        sa.Column("made_by", sa.String(length=24), nullable=True),
        sa.Column("expires", Instant(), nullable=False),
        sa.Column("wrong", sa.Integer(), server_default="0", nullable=False),
        sa.ForeignKeyConstraint(
            ["account"], ["accounts.id"], name=op.f("fk_invitations_account"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("selector", name=op.f("pk_invitations")),
        sa.UniqueConstraint("alias", name=op.f("uq_invitations_alias")),
    )
    op.create_index(op.f("ix_invitations_expires"), "invitations", ["expires"])
    op.create_table(
        "recovery_codes",
        sa.Column("digest", sa.LargeBinary(length=16), nullable=False),
        sa.Column("account", sa.String(length=24), nullable=False),
        sa.ForeignKeyConstraint(
            ["account"], ["accounts.id"], name=op.f("fk_recovery_codes_account"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_recovery_codes")),
    )
    op.create_index(op.f("ix_recovery_codes_account"), "recovery_codes", ["account"])
    op.create_table(
        "passkeys",
        sa.Column("id", sa.String(length=24), nullable=False),
        sa.Column("account", sa.String(length=24), nullable=False),
        sa.Column("credential", sa.LargeBinary(length=16), nullable=False),
        sa.Column("public_key", sa.LargeBinary(), nullable=False),
        sa.Column("sign_count", sa.BigInteger(), nullable=False),
        sa.Column("device", sa.String(length=40), nullable=False),
        sa.Column("made", Instant(), nullable=False),
        sa.Column("used", Instant(), nullable=True),
        sa.ForeignKeyConstraint(
            ["account"], ["accounts.id"], name=op.f("fk_passkeys_account"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_passkeys")),
        sa.UniqueConstraint("credential", name=op.f("uq_passkeys_credential")),
    )
    op.create_index(op.f("ix_passkeys_account"), "passkeys", ["account"])
    op.create_table(
        "used_challenges",
        sa.Column("digest", sa.LargeBinary(length=16), nullable=False),
        sa.Column("expires", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_used_challenges")),
    )
    op.create_index(op.f("ix_used_challenges_expires"), "used_challenges", ["expires"])
