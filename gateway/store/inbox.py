"""Which webhooks were answered already, and how: the same one again gets the same answer and has no effect."""

from datetime import datetime

from sqlalchemy import Column, LargeBinary, Table, insert, select, update

from gateway.store.database import Instant, Session, metadata

inbox = Table(
    "inbox",
    metadata,
    Column("key", LargeBinary(16), primary_key=True),  # keyed hash of carrier, id, kind and step
    Column("at", Instant, nullable=False, index=True),
    Column("answer", LargeBinary),  # sealed; emptied after a day, when only the key remains
)


def answered(session: Session, key: bytes) -> tuple[bytes | None] | None:
    """None for a new webhook; else a one-tuple of the sealed answer, which is None once a day has passed."""
    row = session.execute(select(inbox.c.answer).where(inbox.c.key == key)).one_or_none()
    return None if row is None else (row.answer,)


def record(session: Session, key: bytes, answer: bytes | None, now: datetime) -> None:
    """Raise `sqlalchemy.exc.IntegrityError` where another host was faster: then roll back and read its answer."""
    session.execute(insert(inbox).values(key=key, at=now, answer=answer))


def drop_answers_before(session: Session, moment: datetime) -> int:
    return session.execute(
        update(inbox).where(inbox.c.at < moment, inbox.c.answer.is_not(None)).values(answer=None)
    ).rowcount


def drop_before(session: Session, moment: datetime) -> int:
    return session.execute(inbox.delete().where(inbox.c.at < moment)).rowcount
