"""Which webhooks were answered already, and how: the same one again gets the same answer and has no effect."""

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Column, LargeBinary, Table, bindparam, select, update
from sqlalchemy.dialects import postgresql, sqlite

from gateway.store.database import Instant, Session, metadata

ANSWERS_KEPT: Final = timedelta(days=1)

inbox = Table(
    "inbox",
    metadata,
    Column("key", LargeBinary(16), primary_key=True),  # keyed hash of carrier, id, kind and step
    Column("at", Instant, nullable=False, index=True),
    Column("answer", LargeBinary),  # sealed; emptied after a day, when only the key remains
)

# Every webhook runs these: built once, because building a statement costs more than running it.
_this = inbox.c.key == bindparam("this")
_TAKE = {
    dialect: insert(inbox).on_conflict_do_nothing().returning(inbox.c.key)
    for dialect, insert in (("sqlite", sqlite.insert), ("postgresql", postgresql.insert))
}
_ANSWER_OF = select(inbox.c.answer).where(_this, inbox.c.at > bindparam("since"))
_KEEP_ANSWER = update(inbox).where(_this)


def take(session: Session, key: bytes, now: datetime) -> bool:
    """Make this webhook this transaction's, before anything is read; False where it was answered already.

    A host that is at the same webhook just now is waited for, so that what it stored is seen from here on.
    """
    taken = session.execute(_TAKE[session.dialect.name], {"key": key, "at": now})
    return taken.one_or_none() is not None


def taken(session: Session, key: bytes) -> bool:
    """Whether this webhook was answered before, however long ago."""
    return session.execute(select(inbox.c.key).where(_this), {"this": key}).first() is not None


def answer_of(session: Session, key: bytes, now: datetime) -> bytes | None:
    """The sealed answer of a webhook that was answered; None once a day has passed."""
    return session.execute(_ANSWER_OF, {"this": key, "since": now - ANSWERS_KEPT}).scalar()


def keep_answer(session: Session, key: bytes, answer: bytes) -> None:
    """What this webhook gets when it comes again."""
    session.execute(_KEEP_ANSWER, {"this": key, "answer": answer})


def drop_answers_before(session: Session, moment: datetime) -> int:
    return session.execute(
        update(inbox).where(inbox.c.at < moment, inbox.c.answer.is_not(None)).values(answer=None)
    ).rowcount


def drop_before(session: Session, moment: datetime) -> int:
    return session.execute(inbox.delete().where(inbox.c.at < moment)).rowcount
