"""What the provider still keeps of calls and texts: its ids, sealed so that only a worker can open them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Column, Integer, LargeBinary, String, Table, delete, func, select, update

from gateway.store.database import Instant, Session, metadata, upsert

provider_copies = Table(
    "provider_copies",
    metadata,
    Column("digest", LargeBinary(16), primary_key=True),  # keyed: one row, however often it is reported
    Column("kind", String(8), nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    Column("added", Instant, nullable=False, index=True),
    Column("due", Instant, nullable=False, index=True),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("gave_up", Instant),
)
_open = provider_copies.c.gave_up.is_(None)


@dataclass(frozen=True, slots=True)
class Copy:
    """One copy at the provider; it names no person and no request."""

    digest: bytes
    kind: str
    sealed: bytes
    added: datetime
    attempts: int


_COLUMNS = tuple(provider_copies.c[name] for name in Copy.__dataclass_fields__)


def add(session: Session, digest: bytes, *, kind: str, sealed: bytes, added: datetime, due: datetime) -> None:
    """Listed again, as by the report of a call's end, it is only due at another time."""
    row = {"digest": digest, "kind": kind, "sealed": sealed, "added": added, "due": due}
    upsert(session, provider_copies, ("digest",), row, change=("due",))


def due(session: Session, now: datetime, *, most: int) -> Sequence[Copy]:
    """Those to delete now, the longest waiting first."""
    query = select(*_COLUMNS).where(_open, provider_copies.c.due <= now).order_by(provider_copies.c.due)
    return [Copy(*row) for row in session.execute(query.limit(most))]


def is_due(session: Session, now: datetime) -> bool:
    query = select(provider_copies.c.kind).where(_open, provider_copies.c.due <= now)
    return session.execute(query.limit(1)).first() is not None


def next_due(session: Session) -> datetime | None:
    return session.execute(select(func.min(provider_copies.c.due)).where(_open)).scalar()


def deleted(session: Session, digest: bytes) -> None:
    session.execute(delete(provider_copies).where(provider_copies.c.digest == digest))


def again(session: Session, digest: bytes, *, due: datetime) -> None:
    session.execute(
        update(provider_copies)
        .where(provider_copies.c.digest == digest)
        .values(due=due, attempts=provider_copies.c.attempts + 1)
    )


def give_up(session: Session, digest: bytes, now: datetime) -> None:
    """Its id is not needed any more; that it was left is still counted."""
    session.execute(
        update(provider_copies)
        .where(provider_copies.c.digest == digest)
        .values(gave_up=now, sealed=b"", attempts=provider_copies.c.attempts + 1)
    )


def counts(session: Session) -> dict[str, int]:
    """How many wait for their time, were refused and are tried again, or were given up."""
    tried = provider_copies.c.attempts > 0
    waiting = func.count().filter(_open, ~tried)
    refused = func.count().filter(_open, tried)
    given_up = func.count().filter(provider_copies.c.gave_up.is_not(None))
    row = session.execute(select(waiting, refused, given_up).select_from(provider_copies)).one()
    return {"waiting": row[0], "refused": row[1], "given_up": row[2]}
