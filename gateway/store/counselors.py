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

# Browsers from which an account signed in before: what others guess does not slow these down.
known_clients = Table(
    "known_clients",
    metadata,
    Column("digest", LargeBinary(16), primary_key=True),  # of the account and the browser's own random token
    Column("account", String(24), ForeignKey(accounts.c.id, ondelete="CASCADE"), nullable=False, index=True),
    Column("seen", Instant, nullable=False, index=True),
    Column("failures", Integer, nullable=False, server_default="0"),
    Column("wait_until", Instant),
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
    disabled: bool


@dataclass(frozen=True, slots=True)
class Reachable:
    """A person whom the pool may ring; `at_console` says that the console knows them just now."""

    account: str
    at_console: bool


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


def reachable(
    session: Session, *, now: datetime, seen: datetime, sheets: Sequence[str], most: int, but: Sequence[str]
) -> Sequence[Reachable]:
    """Accounts on shift with a phone, other than `but`; those longest without a missed ring first.

    Only those who can show who they are: by a console session seen since `seen`, or as one of `sheets` by a code.
    """
    at_console = (
        select(sessions.c.digest)
        .where(sessions.c.account == accounts.c.id, sessions.c.seen > seen, sessions.c.expires > now)
        .exists()
    )
    query = (
        select(accounts.c.id, at_console.label("at_console"))
        .where(
            accounts.c.on_shift,
            ~accounts.c.disabled,
            accounts.c.sealed_number.is_not(None),
            accounts.c.id.not_in(but),
            at_console | accounts.c.id.in_(sheets),
        )
        .order_by(accounts.c.missed_rings, accounts.c.id)
    )
    return [Reachable(row.id, bool(row.at_console)) for row in session.execute(query.limit(most))]


def missed_ring(session: Session, account: str) -> int:
    """Count a ring that was not answered. Return how many in a row."""
    counted = session.execute(
        update(accounts)
        .where(accounts.c.id == account)
        .values(missed_rings=accounts.c.missed_rings + 1)
        .returning(accounts.c.missed_rings)
    )
    return int(counted.scalar_one())


def waits_until(session: Session, account: str, client: bytes) -> datetime | None:
    """Until when tries do not count: a known client's own wait, or the one of all others together."""
    own = select(known_clients.c.wait_until).where(known_clients.c.digest == client)
    others = select(accounts.c.wait_until).where(accounts.c.id == account)
    row = session.execute(own).one_or_none() or session.execute(others).one()
    until: datetime | None = row.wait_until
    return until


def count_failure(session: Session, account: str, client: bytes) -> int:
    """Count a failed try, of a known client alone or of all others together. Return how many in a row.

    One atomic statement: its row is held until the transaction ends, so that of ten at once each sees the last.
    """
    own = session.execute(
        update(known_clients)
        .where(known_clients.c.digest == client)
        .values(failures=known_clients.c.failures + 1)
        .returning(known_clients.c.failures)
    ).scalar()
    if own is not None:
        return int(own)
    counted = session.execute(
        update(accounts)
        .where(accounts.c.id == account)
        .values(failures=accounts.c.failures + 1)
        .returning(accounts.c.failures)
    )
    return int(counted.scalar_one())


def put_off(session: Session, account: str, client: bytes, until: datetime) -> None:
    """The next try counts from `until` on: a known client's, or that of all others."""
    own = session.execute(
        update(known_clients).where(known_clients.c.digest == client).values(wait_until=until)
    )
    if own.rowcount == 0:
        change(session, account, wait_until=until)


def know_client(session: Session, account: str, client: bytes, now: datetime) -> None:
    """From here on this client's own failures count for it, and nobody else's."""
    session.execute(delete(known_clients).where(known_clients.c.digest == client))
    session.execute(insert(known_clients).values(digest=client, account=account, seen=now))


def forget_clients(session: Session, account: str) -> None:
    session.execute(delete(known_clients).where(known_clients.c.account == account))


def forget_clients_before(session: Session, moment: datetime) -> None:
    session.execute(delete(known_clients).where(known_clients.c.seen < moment))


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
