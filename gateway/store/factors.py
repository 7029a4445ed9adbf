"""What an account can show instead of a code of its reader: recovery codes and passkeys."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    ForeignKey,
    LargeBinary,
    String,
    Table,
    delete,
    func,
    insert,
    select,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite

from gateway.store.counselors import accounts
from gateway.store.database import Instant, Session, metadata

recovery_codes = Table(
    "recovery_codes",
    metadata,
    Column("digest", LargeBinary(16), primary_key=True),  # keyed, of account and code
    Column("account", String(24), ForeignKey(accounts.c.id, ondelete="CASCADE"), nullable=False, index=True),
)

passkeys = Table(
    "passkeys",
    metadata,
    Column("id", String(24), primary_key=True),
    Column("account", String(24), ForeignKey(accounts.c.id, ondelete="CASCADE"), nullable=False, index=True),
    Column("credential", LargeBinary(16), nullable=False, unique=True),  # keyed hash of the credential's id
    Column("public_key", LargeBinary, nullable=False),
    Column("sign_count", BigInteger, nullable=False),
    Column("device", String(40), nullable=False),
    Column("made", Instant, nullable=False),
    Column("used", Instant),
)

# Challenges that were answered: each answer counts once.
used_challenges = Table(
    "used_challenges",
    metadata,
    Column("digest", LargeBinary(16), primary_key=True),
    Column("expires", Instant, nullable=False, index=True),
)


@dataclass(frozen=True, slots=True)
class Passkey:
    """A passkey of an account; `device` in plain words."""

    id: str
    account: str
    public_key: bytes
    sign_count: int
    device: str
    made: datetime
    used: datetime | None


_PASSKEY = (
    passkeys.c.id,
    passkeys.c.account,
    passkeys.c.public_key,
    passkeys.c.sign_count,
    passkeys.c.device,
    passkeys.c.made,
    passkeys.c.used,
)


def renew_codes(session: Session, account: str, digests: Sequence[bytes]) -> None:
    """A fresh set; the old ones work no more."""
    burn_codes(session, account)
    session.execute(insert(recovery_codes), [{"account": account, "digest": one} for one in digests])


def has_code(session: Session, account: str, digest: bytes) -> bool:
    return session.execute(select(recovery_codes.c.digest).where(_code(account, digest))).first() is not None


def use_code(session: Session, account: str, digest: bytes) -> bool:
    """One atomic statement: a used code is gone."""
    return session.execute(delete(recovery_codes).where(_code(account, digest))).rowcount == 1


def _code(account: str, digest: bytes) -> ColumnElement[bool]:
    return (recovery_codes.c.account == account) & (recovery_codes.c.digest == digest)


def codes_left(session: Session, account: str) -> int:
    query = select(func.count()).select_from(recovery_codes).where(recovery_codes.c.account == account)
    return session.execute(query).scalar_one()


def burn_codes(session: Session, account: str) -> None:
    session.execute(delete(recovery_codes).where(recovery_codes.c.account == account))


def add_passkey(session: Session, **values: Any) -> None:
    session.execute(insert(passkeys).values(values))


def passkey(session: Session, credential: bytes) -> Passkey | None:
    row = session.execute(select(*_PASSKEY).where(passkeys.c.credential == credential)).one_or_none()
    return None if row is None else Passkey(*row)


def passkeys_of(session: Session, account: str) -> Sequence[Passkey]:
    query = select(*_PASSKEY).where(passkeys.c.account == account).order_by(passkeys.c.made)
    return [Passkey(*row) for row in session.execute(query)]


def passkey_used(session: Session, one: Passkey, sign_count: int, now: datetime) -> bool:
    """Note the new count; of two who saw the same one exactly one is the first."""
    done = session.execute(
        update(passkeys)
        .where(passkeys.c.id == one.id, passkeys.c.sign_count == one.sign_count)
        .values(sign_count=sign_count, used=now)
    )
    return done.rowcount == 1


def remove_passkey(session: Session, account: str, passkey: str) -> bool:
    mine = (passkeys.c.account == account) & (passkeys.c.id == passkey)
    return session.execute(delete(passkeys).where(mine)).rowcount == 1


def burn_passkeys(session: Session, account: str) -> None:
    session.execute(delete(passkeys).where(passkeys.c.account == account))


def answer_once(session: Session, challenge: bytes, *, expires: datetime, now: datetime) -> bool:
    """Whether this challenge is answered for the first time; those that are over are forgotten."""
    session.execute(delete(used_challenges).where(used_challenges.c.expires < now))
    make: Any = sqlite.insert if session.dialect.name == "sqlite" else postgresql.insert
    first = make(used_challenges).values(digest=challenge, expires=expires).on_conflict_do_nothing()
    return bool(session.execute(first).rowcount == 1)
