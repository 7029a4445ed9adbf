"""Rings that were rejected and are answered by ringing back: one open row a contact, however often it rang."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    delete,
    insert,
    select,
    update,
)

from gateway.store.contacts import contacts
from gateway.store.database import Instant, Session, metadata

ring_backs = Table(
    "ring_backs",
    metadata,
    Column("id", String(24), primary_key=True),
    Column("contact", String(24), ForeignKey(contacts.c.id, ondelete="CASCADE"), nullable=False, unique=True),
    Column("line_index", LargeBinary(16), nullable=False),
    Column("asked", Instant, nullable=False),
    Column("expires", Instant, nullable=False),
    Column("attempts", Integer, nullable=False, server_default="0"),
)
Index("ix_ring_backs_expires", ring_backs.c.expires)


@dataclass(frozen=True, slots=True)
class RingBack:
    id: str
    contact: str
    line_index: bytes
    expires: datetime
    attempts: int


_COLUMNS = tuple(ring_backs.c[name] for name in RingBack.__dataclass_fields__)


def add(session: Session, **values: Any) -> None:
    session.execute(insert(ring_backs).values(values))


def get(session: Session, ring_back: str) -> RingBack | None:
    row = session.execute(select(*_COLUMNS).where(ring_backs.c.id == ring_back)).one_or_none()
    return None if row is None else RingBack(*row)


def of_contact(session: Session, contact: str) -> RingBack | None:
    row = session.execute(select(*_COLUMNS).where(ring_backs.c.contact == contact)).one_or_none()
    return None if row is None else RingBack(*row)


def count_attempt(session: Session, ring_back: str) -> None:
    session.execute(
        update(ring_backs).where(ring_backs.c.id == ring_back).values(attempts=ring_backs.c.attempts + 1)
    )


def past(session: Session, now: datetime, *, most: int) -> Sequence[RingBack]:
    rows = session.execute(select(*_COLUMNS).where(ring_backs.c.expires <= now).limit(most))
    return [RingBack(*row) for row in rows]


def remove_of(session: Session, contact: str) -> None:
    session.execute(delete(ring_backs).where(ring_backs.c.contact == contact))


def remove(session: Session, ring_back: str) -> None:
    session.execute(delete(ring_backs).where(ring_backs.c.id == ring_back))
