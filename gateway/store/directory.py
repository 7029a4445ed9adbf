"""The services directory: who else helps, sealed, and until when it is true; and which case was told of which."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    Column,
    ForeignKey,
    Integer,
    LargeBinary,
    Row,
    String,
    Table,
    delete,
    func,
    insert,
    select,
)

from gateway.store.callbacks import callbacks
from gateway.store.database import Instant, Session, metadata, upsert

directory = Table(
    "directory",
    metadata,
    Column("id", String(24), primary_key=True),
    Column("kind", String(12), nullable=False),
    Column("languages", String(40), nullable=False),
    Column("words", LargeBinary, nullable=False),  # sealed: where people are hidden is not for a thief
    Column("valid_until", Instant, nullable=False),
    Column("author", String(24), nullable=False),
    Column("changed", Instant, nullable=False),
)

# Opaque on both sides; gone with the case's row, or with the entry.
referrals = Table(
    "referrals",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column(
        "callback", String(24), ForeignKey(callbacks.c.id, ondelete="CASCADE"), nullable=False, index=True
    ),
    Column("entry", String(24), ForeignKey(directory.c.id, ondelete="CASCADE"), nullable=False, index=True),
    Column("account", String(24), nullable=False),
    Column("at", Instant, nullable=False, index=True),
)


@dataclass(frozen=True, slots=True)
class Sealed:
    """One entry as stored; `words` are its name, what it offers and how to reach it."""

    id: str
    kind: str
    languages: str
    words: bytes
    valid_until: datetime
    author: str
    changed: datetime


@dataclass(frozen=True, slots=True)
class Referral:
    """One case was told of one entry."""

    entry: str
    account: str
    at: datetime


_COLUMNS = tuple(directory.c[name] for name in Sealed.__dataclass_fields__)


def _sealed(row: Row[Any]) -> Sealed:
    return Sealed(**row._asdict())


def keep(session: Session, **values: Any) -> None:
    """A new entry, or another text for the one of that `id`."""
    upsert(session, directory, ("id",), values)


def get(session: Session, entry: str) -> Sealed | None:
    row = session.execute(select(*_COLUMNS).where(directory.c.id == entry)).one_or_none()
    return None if row is None else _sealed(row)


def everything(session: Session, *, most: int) -> Sequence[Sealed]:
    """The directory, what was changed last first."""
    query = select(*_COLUMNS).order_by(directory.c.changed.desc(), directory.c.id).limit(most)
    return [_sealed(row) for row in session.execute(query)]


def count(session: Session) -> int:
    return int(session.execute(select(func.count()).select_from(directory)).scalar_one())


def remove(session: Session, entry: str) -> None:
    session.execute(delete(directory).where(directory.c.id == entry))


def refer(session: Session, callback: str, *, entry: str, account: str, now: datetime) -> None:
    session.execute(insert(referrals).values(callback=callback, entry=entry, account=account, at=now))


def referred(session: Session, callback: str) -> Sequence[Referral]:
    """What this case was told of, the first first."""
    query = select(referrals.c.entry, referrals.c.account, referrals.c.at)
    rows = session.execute(query.where(referrals.c.callback == callback).order_by(referrals.c.id))
    return [Referral(*row) for row in rows]


def counts(session: Session, *, since: datetime, until: datetime) -> dict[str, int]:
    """How many cases were told of each entry in that time."""
    query = select(referrals.c.entry, func.count(referrals.c.callback.distinct())).where(
        referrals.c.at >= since, referrals.c.at < until
    )
    return {entry: int(number) for entry, number in session.execute(query.group_by(referrals.c.entry))}
