"""Which webhooks were answered already, and how: the same one again gets the same answer and has no effect."""

from datetime import datetime

from sqlalchemy import Column, LargeBinary, Table, select, update
from sqlalchemy.dialects import postgresql, sqlite

from gateway.store.database import Instant, Session, metadata

inbox = Table(
    "inbox",
    metadata,
    Column("key", LargeBinary(16), primary_key=True),  # keyed hash of carrier, id, kind and step
    Column("at", Instant, nullable=False, index=True),
    Column("answer", LargeBinary),  # sealed; emptied after a day, when only the key remains
)


def take(session: Session, key: bytes, now: datetime) -> bool:
    """Make this webhook this transaction's, before anything is read; False where it was answered already.

    A host that is at the same webhook just now is waited for, so that what it stored is seen from here on.
    """
    make = sqlite.insert if session.dialect.name == "sqlite" else postgresql.insert
    query = make(inbox).values(key=key, at=now).on_conflict_do_nothing().returning(inbox.c.key)
    return session.execute(query).one_or_none() is not None


def answer_of(session: Session, key: bytes) -> bytes | None:
    """The sealed answer of a webhook that was answered; None once a day has passed."""
    return session.execute(select(inbox.c.answer).where(inbox.c.key == key)).scalar()


def keep_answer(session: Session, key: bytes, answer: bytes) -> None:
    """What this webhook gets when it comes again."""
    session.execute(update(inbox).where(inbox.c.key == key).values(answer=answer))


def drop_answers_before(session: Session, moment: datetime) -> int:
    return session.execute(
        update(inbox).where(inbox.c.at < moment, inbox.c.answer.is_not(None)).values(answer=None)
    ).rowcount


def drop_before(session: Session, moment: datetime) -> int:
    return session.execute(inbox.delete().where(inbox.c.at < moment)).rowcount
