"""People with an account: aliases, roles, second factors, shifts and console sessions."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    Boolean,
    Column,
    ColumnElement,
    ForeignKey,
    Integer,
    LargeBinary,
    Row,
    String,
    Table,
    delete,
    false,
    insert,
    or_,
    select,
    update,
)

from gateway.store.database import Instant, Session, metadata


class Role(StrEnum):
    COUNSELOR = "counselor"
    COORDINATOR = "coordinator"
    ADMIN = "admin"
    AUDITOR = "auditor"


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
    Column("speaks", String(40), nullable=False, server_default=""),  # languages with commas; empty: any
    Column("woman", Boolean, nullable=False, server_default=false()),
    Column("on_shift", Boolean, nullable=False, server_default=false()),
    Column("disabled", Boolean, nullable=False, server_default=false()),
    Column("unlock_hash", String(200)),  # of the short code after five idle minutes
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
    Column("device", String(40), nullable=False, server_default=""),  # in plain words, never an address
    Column("wrong_unlocks", Integer, nullable=False, server_default="0"),
)

# Browsers from which an account signed in before: what others guess does not slow these down.
known_clients = Table(
    "known_clients",
    metadata,
    Column("digest", LargeBinary(16), primary_key=True),  # of the account and the browser's own random token
    Column("account", String(24), ForeignKey(accounts.c.id, ondelete="CASCADE"), nullable=False, index=True),
    Column("seen", Instant, nullable=False, index=True),
)


@dataclass(frozen=True, slots=True)
class Account:
    """An account without its secrets; `has_phone` says whether a number is kept, never which.

    `speaks` are the languages somebody can be helped in; none named means any.
    """

    id: str
    alias: str
    role: Role
    language: str
    on_shift: bool
    disabled: bool
    has_phone: bool
    speaks: frozenset[str] = frozenset()
    woman: bool = False


@dataclass(frozen=True, slots=True)
class Credentials:
    """What sign-in needs."""

    id: str
    password_hash: str
    totp_secret: bytes
    totp_step: int
    unlock_hash: str | None
    disabled: bool


@dataclass(frozen=True, slots=True)
class SignedIn:
    """One session of an account, for its owner to recognise: which kind of device, since when, used when."""

    digest: bytes
    device: str
    began: datetime
    seen: datetime


@dataclass(frozen=True, slots=True)
class Wish:
    """Whom somebody would talk with: in this language (empty: any), with a woman."""

    language: str = ""
    woman: bool = False

    def met(self) -> Iterator[ColumnElement[bool]]:
        """The conditions on an account."""
        if self.woman:
            yield accounts.c.woman
        if self.language:
            spoken = "," + accounts.c.speaks + ","
            yield or_(accounts.c.speaks == "", spoken.contains(f",{self.language},", autoescape=True))


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
    accounts.c.speaks,
    accounts.c.woman,
)


def _account(row: Row[Any]) -> Account:
    values = {column.key: getattr(row, column.key) for column in _COLUMNS}
    speaks = frozenset(filter(None, row.speaks.split(",")))
    return Account(**{**values, "role": Role(row.role), "speaks": speaks})


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


_CREDENTIALS = (
    accounts.c.id,
    accounts.c.password_hash,
    accounts.c.totp_secret,
    accounts.c.totp_step,
    accounts.c.unlock_hash,
    accounts.c.disabled,
)


def credentials(session: Session, alias: str) -> Credentials | None:
    row = session.execute(select(*_CREDENTIALS).where(accounts.c.alias == alias)).one_or_none()
    return None if row is None else Credentials(*row)


def credentials_of(session: Session, account: str) -> Credentials | None:
    row = session.execute(select(*_CREDENTIALS).where(accounts.c.id == account)).one_or_none()
    return None if row is None else Credentials(*row)


def change(session: Session, account: str, **values: Any) -> None:
    session.execute(update(accounts).where(accounts.c.id == account).values(values))


def forget_used_codes(session: Session) -> None:
    """For a demo that starts over: whoever was signed in a moment ago need not wait for the next code."""
    session.execute(update(accounts).values(totp_step=0))


def use_code(session: Session, account: str, step: int) -> bool:
    """One atomic statement: a one-time code's time step is taken once, and only forwards."""
    done = session.execute(
        update(accounts).where(accounts.c.id == account, accounts.c.totp_step < step).values(totp_step=step)
    )
    return done.rowcount == 1


def sealed_number(session: Session, account: str) -> bytes | None:
    return session.execute(select(accounts.c.sealed_number).where(accounts.c.id == account)).scalar()


def open_session(
    session: Session, digest: bytes, *, account: str, device: str, now: datetime, expires: datetime
) -> None:
    values = {"digest": digest, "account": account, "began": now, "seen": now, "expires": expires}
    session.execute(insert(sessions).values(values | {"device": device}))


def of_number(session: Session, number_index: bytes) -> Account | None:
    row = session.execute(select(*_COLUMNS).where(accounts.c.number_index == number_index)).one_or_none()
    return None if row is None else _account(row)


def reachable(
    session: Session,
    *,
    now: datetime,
    seen: datetime,
    sheets: Sequence[str],
    most: int,
    but: Sequence[str],
    wish: Wish,
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
            accounts.c.role != Role.AUDITOR,
            accounts.c.sealed_number.is_not(None),
            accounts.c.id.not_in(but),
            at_console | accounts.c.id.in_(sheets),
            *wish.met(),
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


def knows_client(session: Session, client: bytes) -> bool:
    query = select(known_clients.c.digest).where(known_clients.c.digest == client)
    return session.execute(query).one_or_none() is not None


def know_client(session: Session, account: str, client: bytes, now: datetime) -> None:
    """From here on this client's own failures count for it, and nobody else's; made twice it is one."""
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


def sessions_of(session: Session, account: str, *, now: datetime) -> Sequence[SignedIn]:
    """Where an account is signed in, the latest first."""
    query = select(sessions.c.digest, sessions.c.device, sessions.c.began, sessions.c.seen).where(
        sessions.c.account == account, sessions.c.expires > now
    )
    return [SignedIn(*row) for row in session.execute(query.order_by(sessions.c.seen.desc()))]


def wrong_unlock(session: Session, digest: bytes) -> int:
    """Count a wrong short code. Return how many in a row; 0 where the session has ended."""
    counted = session.execute(
        update(sessions)
        .where(sessions.c.digest == digest)
        .values(wrong_unlocks=sessions.c.wrong_unlocks + 1)
        .returning(sessions.c.wrong_unlocks)
    )
    return int(counted.scalar() or 0)


def touch_session(session: Session, digest: bytes, now: datetime) -> None:
    """Used just now, and unlocked."""
    session.execute(update(sessions).where(sessions.c.digest == digest).values(seen=now, wrong_unlocks=0))


def close_session(session: Session, digest: bytes, *, account: str | None = None) -> bool:
    """End one session, with `account` only if it is that one's. Return whether there was one."""
    theirs = sessions.c.digest == digest
    if account is not None:
        theirs &= sessions.c.account == account
    return session.execute(delete(sessions).where(theirs)).rowcount == 1


def close_sessions(session: Session, account: str) -> None:
    session.execute(delete(sessions).where(sessions.c.account == account))


def close_all_sessions(session: Session) -> None:
    session.execute(delete(sessions))
