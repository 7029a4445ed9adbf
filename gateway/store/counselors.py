"""People with an account: aliases, roles, second factors, shifts and console sessions."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    Boolean,
    Column,
    ForeignKey,
    Integer,
    LargeBinary,
    Row,
    String,
    Table,
    delete,
    false,
    func,
    insert,
    select,
    update,
)

from gateway.store.database import Instant, Session, metadata


class Role(StrEnum):
    COUNSELOR = "counselor"
    COORDINATOR = "coordinator"
    ADMIN = "admin"


accounts = Table(
    "accounts",
    metadata,
    Column("id", String(24), primary_key=True),
    Column("alias", String(40), nullable=False, unique=True),
    Column("role", String(12), nullable=False),
    Column("password_hash", String(200), nullable=False),
    Column("totp_secret", LargeBinary, nullable=False),  # sealed
    Column("totp_step", Integer, nullable=False, server_default="0"),  # the last step used: a code works once
    Column("number_index", LargeBinary(16), unique=True),
    Column("sealed_number", LargeBinary),
    Column("language", String(8), nullable=False, server_default="my"),
    Column("on_shift", Boolean, nullable=False, server_default=false()),
    Column("disabled", Boolean, nullable=False, server_default=false()),
    Column("failures", Integer, nullable=False, server_default="0"),
    Column("wait_until", Instant),  # the next try counts from here
    Column("missed_rings", Integer, nullable=False, server_default="0"),
    Column("wrong_codes", Integer, nullable=False, server_default="0"),
    Column("created", Instant, nullable=False),
)

sessions = Table(
    "sessions",
    metadata,
    Column("digest", LargeBinary(16), primary_key=True),
    Column("account", String(24), ForeignKey(accounts.c.id, ondelete="CASCADE"), nullable=False, index=True),
    Column("began", Instant, nullable=False),
    Column("seen", Instant, nullable=False),
    Column("expires", Instant, nullable=False, index=True),
)


@dataclass(frozen=True, slots=True)
class Account:
    """An account without its secrets; `has_phone` says whether a number is kept, never which."""

    id: str
    alias: str
    role: Role
    language: str
    on_shift: bool
    disabled: bool
    has_phone: bool


@dataclass(frozen=True, slots=True)
class Credentials:
    """What sign-in needs."""

    id: str
    password_hash: str
    totp_secret: bytes
    totp_step: int
    failures: int
    wait_until: datetime | None
    disabled: bool


_COLUMNS = (
    accounts.c.id,
    accounts.c.alias,
    accounts.c.role,
    accounts.c.language,
    accounts.c.on_shift,
    accounts.c.disabled,
    accounts.c.sealed_number.is_not(None).label("has_phone"),
)


def _account(row: Row[Any]) -> Account:
    return Account(row.id, row.alias, Role(row.role), row.language, row.on_shift, row.disabled, row.has_phone)


def add(session: Session, **values: Any) -> None:
    session.execute(insert(accounts).values(values))


def get(session: Session, account: str) -> Account | None:
    row = session.execute(select(*_COLUMNS).where(accounts.c.id == account)).one_or_none()
    return None if row is None else _account(row)


def by_alias(session: Session, alias: str) -> Account | None:
    row = session.execute(select(*_COLUMNS).where(accounts.c.alias == alias)).one_or_none()
    return None if row is None else _account(row)


def everyone(session: Session) -> Sequence[Account]:
    return [_account(row) for row in session.execute(select(*_COLUMNS).order_by(accounts.c.alias))]


def credentials(session: Session, alias: str) -> Credentials | None:
    row = session.execute(
        select(
            accounts.c.id,
            accounts.c.password_hash,
            accounts.c.totp_secret,
            accounts.c.totp_step,
            accounts.c.failures,
            accounts.c.wait_until,
            accounts.c.disabled,
        ).where(accounts.c.alias == alias)
    ).one_or_none()
    return None if row is None else Credentials(*row)


def change(session: Session, account: str, **values: Any) -> None:
    session.execute(update(accounts).where(accounts.c.id == account).values(values))


def use_code(session: Session, account: str, step: int) -> bool:
    """One atomic statement: a one-time code's time step is taken once, and only forwards."""
    done = session.execute(
        update(accounts)
        .where(accounts.c.id == account, accounts.c.totp_step < step)
        .values(totp_step=step, failures=0, wait_until=None)
    )
    return done.rowcount == 1


def sealed_number(session: Session, account: str) -> bytes | None:
    return session.execute(select(accounts.c.sealed_number).where(accounts.c.id == account)).scalar()


_ON_SHIFT = select(func.count()).select_from(accounts).where(accounts.c.on_shift, ~accounts.c.disabled)


def on_shift(session: Session) -> int:
    return session.execute(_ON_SHIFT).scalar_one()


def open_session(session: Session, digest: bytes, *, account: str, now: datetime, expires: datetime) -> None:
    session.execute(
        insert(sessions).values(digest=digest, account=account, began=now, seen=now, expires=expires)
    )


def of_number(session: Session, number_index: bytes) -> Account | None:
    row = session.execute(select(*_COLUMNS).where(accounts.c.number_index == number_index)).one_or_none()
    return None if row is None else _account(row)


def reachable(session: Session, *, most: int, but: Sequence[str]) -> Sequence[str]:
    """Accounts on shift with a phone, other than `but`; those longest without a missed ring first."""
    query = (
        select(accounts.c.id)
        .where(
            accounts.c.on_shift,
            ~accounts.c.disabled,
            accounts.c.sealed_number.is_not(None),
            accounts.c.id.not_in(but),
        )
        .order_by(accounts.c.missed_rings, accounts.c.id)
    )
    return session.execute(query.limit(most)).scalars().all()


def missed_ring(session: Session, account: str) -> int:
    """Count a ring that was not answered. Return how many in a row."""
    counted = session.execute(
        update(accounts)
        .where(accounts.c.id == account)
        .values(missed_rings=accounts.c.missed_rings + 1)
        .returning(accounts.c.missed_rings)
    )
    return int(counted.scalar_one())


def count_wrong_code(session: Session, account: str) -> int:
    """Count a wrong sheet code. Return how many in a row."""
    counted = session.execute(
        update(accounts)
        .where(accounts.c.id == account)
        .values(wrong_codes=accounts.c.wrong_codes + 1)
        .returning(accounts.c.wrong_codes)
    )
    return int(counted.scalar_one())


def session_of(session: Session, digest: bytes, *, now: datetime) -> tuple[Account, datetime] | None:
    """The account of a live session and when it was last seen, or None."""
    row = session.execute(
        select(*_COLUMNS, sessions.c.seen)
        .join_from(sessions, accounts, sessions.c.account == accounts.c.id)
        .where(sessions.c.digest == digest, sessions.c.expires > now, ~accounts.c.disabled)
    ).one_or_none()
    return None if row is None else (_account(row), row.seen)


def touch_session(session: Session, digest: bytes, now: datetime) -> None:
    session.execute(update(sessions).where(sessions.c.digest == digest).values(seen=now))


def close_session(session: Session, digest: bytes) -> None:
    session.execute(delete(sessions).where(sessions.c.digest == digest))


def close_sessions(session: Session, account: str) -> None:
    session.execute(delete(sessions).where(sessions.c.account == account))


def drop_sessions_before(session: Session, moment: datetime) -> int:
    return session.execute(delete(sessions).where(sessions.c.expires < moment)).rowcount
