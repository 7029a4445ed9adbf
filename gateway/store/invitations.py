"""Invitations: a code, good once and for a limited time, by which a person makes an account or begins anew."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Column, ForeignKey, Integer, LargeBinary, String, Table, delete, insert, select, update

from gateway.store.counselors import Role, accounts
from gateway.store.database import Instant, Session, metadata

invitations = Table(
    "invitations",
    metadata,
    Column("selector", String(8), primary_key=True),  # the part of the code by which it is found
    Column("digest", LargeBinary(16), nullable=False),  # keyed, of the whole code
    Column("alias", String(40), nullable=False, unique=True),
    Column("role", String(12), nullable=False),
    Column("account", String(24), ForeignKey(accounts.c.id, ondelete="CASCADE")),  # who begins anew
    Column("made_by", String(24)),
    Column("expires", Instant, nullable=False, index=True),
    Column("wrong", Integer, nullable=False, server_default="0"),
)


@dataclass(frozen=True, slots=True)
class Invitation:
    """An open one; `account` where somebody who has an account begins anew."""

    selector: str
    digest: bytes
    alias: str
    role: Role
    account: str | None
    made_by: str | None
    expires: datetime


_COLUMNS = (
    invitations.c.selector,
    invitations.c.digest,
    invitations.c.alias,
    invitations.c.role,
    invitations.c.account,
    invitations.c.made_by,
    invitations.c.expires,
)


def _invitation(row: Any) -> Invitation:
    return Invitation(row[0], row[1], row[2], Role(row[3]), *row[4:])


def add(session: Session, one: Invitation) -> None:
    """The newest of an alias counts alone."""
    session.execute(delete(invitations).where(invitations.c.alias == one.alias))
    session.execute(
        insert(invitations).values(
            selector=one.selector,
            digest=one.digest,
            alias=one.alias,
            role=one.role,
            account=one.account,
            made_by=one.made_by,
            expires=one.expires,
        )
    )


def get(session: Session, selector: str, *, now: datetime) -> Invitation | None:
    query = select(*_COLUMNS).where(invitations.c.selector == selector, invitations.c.expires > now)
    row = session.execute(query).one_or_none()
    return None if row is None else _invitation(row)


def open_now(session: Session, *, now: datetime) -> Sequence[Invitation]:
    query = select(*_COLUMNS).where(invitations.c.expires > now).order_by(invitations.c.expires)
    return [_invitation(row) for row in session.execute(query)]


def count_wrong(session: Session, selector: str) -> int:
    """Count a wrong rest of the code. Return how many; 0 where there is no such invitation."""
    counted = session.execute(
        update(invitations)
        .where(invitations.c.selector == selector)
        .values(wrong=invitations.c.wrong + 1)
        .returning(invitations.c.wrong)
    )
    return int(counted.scalar() or 0)


def burn(session: Session, selector: str) -> bool:
    """One atomic statement: of two who use the same code at once exactly one is the first."""
    return session.execute(delete(invitations).where(invitations.c.selector == selector)).rowcount == 1


def burn_of_account(session: Session, account: str) -> int:
    """Those made by this account, and those for it. Return how many."""
    theirs = (invitations.c.made_by == account) | (invitations.c.account == account)
    return session.execute(delete(invitations).where(theirs)).rowcount


def drop_before(session: Session, moment: datetime) -> None:
    session.execute(delete(invitations).where(invitations.c.expires < moment))
